"""`/metrics`: what happens in calls and requests is counted, and every figure is documented."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import prometheus_client
import pytest

from inzwa_rtc.errors import EngineError
from inzwa_rtc.metrics.figures import Figures
from tests.signaling.test_socket import Socket, socket
from tests.support.caller import calling
from tests.support.credentials import ADMIN_KEY
from tests.support.engines import ScriptedModel, ToneSynthesizer
from tests.support.figures import figures
from tests.support.server import serving

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
NO_GREETING = {"greeting": ""}
TEN_WORDS = "one two three four five six seven eight nine ten"


async def typed(client: Socket, text: str) -> None:
    await client.send(type="text", text=text)
    await client.told("tts.end")


async def test_a_turn_tells_where_its_time_went() -> None:
    async with serving(llm=ScriptedModel(TEN_WORDS), call=NO_GREETING) as server:
        async with socket(server.url) as client:
            await client.send(type="start")
            await typed(client, "hello")
            now = await figures(server.url)
    assert now.value("inzwa_turn_round_trip_seconds_count", input="text") == 1
    assert now.value("inzwa_turn_first_token_seconds_count") == 1
    assert now.value("inzwa_turn_silence_seconds_count") == 0, "nobody was silent"
    assert now.value("inzwa_reply_tokens_per_second_count") == 1
    assert now.value("inzwa_phrase_first_audio_seconds_count", source="made") >= 1
    assert now.value("inzwa_queue_depth_count", queue="tokens") == 10
    assert now.value("inzwa_turns_total", kind="text") == 1
    assert now.value("inzwa_calls", transport="websocket") == 1


async def test_calls_are_counted_from_their_start_to_their_end() -> None:
    async with serving(call=NO_GREETING) as server:
        async with socket(server.url) as client:
            await client.send(type="start")
            await client.told("session.started")
            await client.send(type="stop")
            await client.closed()
        now = await figures(server.url)
    assert now.value("inzwa_calls_started_total", transport="websocket") == 1
    assert now.value("inzwa_calls_ended_total", transport="websocket", reason="caller") == 1
    assert now.value("inzwa_call_seconds_count") == 1
    assert now.value("inzwa_calls") == 0


async def test_the_line_of_a_call_is_reported() -> None:
    async with serving(call=NO_GREETING) as server:
        async with calling(server.url) as caller:
            await caller.heard(4800)
            server.calls.report_lines()
            server.calls.report_lines()
            now = await figures(server.url)
    assert now.value("inzwa_rtp_jitter_seconds_count") >= 1
    assert now.value("inzwa_waiting_audio_seconds_count") == 2


async def test_a_call_that_is_not_taken_is_counted_by_its_reason() -> None:
    async with serving(max_concurrent_sessions=1) as server:
        async with socket(server.url) as first, socket(server.url) as second:
            await first.send(type="start")
            await first.told("session.started")
            await second.send(type="start")
            await second.closed()
            now = await figures(server.url)
    assert now.value("inzwa_calls_refused_total", code="server_full") == 1
    assert now.value("inzwa_calls_started_total") == 1


async def test_only_calls_are_counted_as_calls_that_are_not_taken() -> None:
    async with serving(voice_enabled=False) as server, aiohttp.ClientSession(server.url) as http:
        for path in ("/v1/capabilities", "/v1/ws", "/v1/info"):
            async with http.get(path) as answer:
                await answer.read()
        before = await figures(server.url)
        async with http.post("/v1/calls", json={"sdp": "v=0", "type": "offer"}) as answer:
            assert (await answer.json())["code"] == "voice_disabled"
        now = await figures(server.url)
    assert before.value("inzwa_calls_refused_total") == 0
    assert now.value("inzwa_calls_refused_total", code="voice_disabled") == 1


async def test_a_stage_that_fails_is_counted_with_its_code() -> None:
    broken = ScriptedModel(EngineError("It broke.", code="out_of_tokens"))
    async with serving(llm=broken, call=NO_GREETING) as server:
        async with socket(server.url) as client:
            await client.send(type="start")
            await typed(client, "hello")
            now = await figures(server.url)
    assert now.value("inzwa_stage_errors_total", stage="reply", code="out_of_tokens") == 1
    assert now.value("inzwa_failures_told_total", code="out_of_tokens") == 1
    assert now.value("inzwa_stage_errors_total") == 1


async def test_an_interrupted_reply_is_counted_and_is_no_error() -> None:
    async with serving(llm=ScriptedModel(TEN_WORDS, "yes"), call=NO_GREETING) as server:
        async with socket(server.url) as client:
            await client.send(type="start")
            await client.send(type="text", text="hello")
            await client.told("tts.start")
            await client.send(type="text", text="stop")
            await client.told("tts.end")
            now = await figures(server.url)
    assert now.value("inzwa_turns_interrupted_total") == 1
    assert now.value("inzwa_stage_errors_total") == 0


async def test_requests_are_counted_by_operation_and_not_by_what_is_asked_for() -> None:
    async with serving() as server, aiohttp.ClientSession(server.url) as http:
        for path in ("/v1/info", "/v1/calls/canary", "/canary"):
            await (await http.get(path)).read()
        now = await figures(server.url)
    assert now.value("inzwa_requests_total", operation="GET /v1/info", status="200") == 1
    assert now.value("inzwa_requests_total", operation="GET /v1/calls/{id}", status="401") == 1
    assert now.value("inzwa_request_first_byte_seconds_count", operation="GET /v1/info") == 1
    assert "canary" not in now.text


async def test_servers_in_one_process_share_no_figure() -> None:
    async with serving() as one, serving() as other, aiohttp.ClientSession() as http:
        await (await http.get(f"{one.url}/v1/info")).read()
        now = await figures(other.url)
    assert now.value("inzwa_requests_total", operation="GET /v1/info") == 0


async def test_kept_phrases_and_what_was_sent_to_be_spoken_are_told() -> None:
    async with serving(llm=ScriptedModel("yes", "yes"), tts=ToneSynthesizer()) as server:
        async with socket(server.url) as client:
            await client.send(type="start")
            await client.told("tts.end")
            now = await figures(server.url)
    spoken = now.value("inzwa_speech_characters_total")
    assert spoken == now.value("inzwa_speech_unpriced_characters_total") > 0


async def test_the_page_documents_every_figure_and_no_other() -> None:
    async with serving() as server:
        now = await figures(server.url)
    documented = set(re.findall(r"^\| `(inzwa_\w+?)(?:_total)?` \|", PAGE, re.M))
    # The parser names counters without `_total`; histograms of labels appear when first used.
    assert {name for name in now.names if name.startswith("inzwa_")} == documented


async def test_what_the_safety_checks_refuse_is_counted_by_category() -> None:
    bad = "how do I make a pipe bomb"
    llm = ScriptedModel("First I will tell you how to make a pipe bomb.")
    async with serving(llm=llm, call=NO_GREETING) as server:
        async with socket(server.url) as client:
            await client.send(type="start")
            await typed(client, bad)
        async with aiohttp.ClientSession(server.url) as http:
            for said in (bad, "Tell me something."):
                asked = {"messages": [{"role": "user", "content": said}]}
                answer = await http.post("/v1/chat", json=asked)
                assert (await answer.json())["finish_reason"] == "content_filter"
        now = await figures(server.url)
    assert now.value("inzwa_safety_refusals_total", category="violence") == 3


async def test_engines_are_told_with_their_state() -> None:
    async with serving() as server:
        now = await figures(server.url)
    assert now.value("inzwa_engine_state", kind="asr", engine="test", state="ready") == 1
    assert now.value("inzwa_engine_in_flight", kind="asr") == 0


async def test_figures_and_charts_are_worked_out_away_from_the_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: list[threading.Thread] = []

    def noted(work: Callable[..., Any]) -> Callable[..., Any]:
        def do(*asked: Any) -> Any:
            threads.append(threading.current_thread())
            return work(*asked)

        return do

    monkeypatch.setattr(
        "signaling.telemetry.server.generate_latest", noted(prometheus_client.generate_latest)
    )
    monkeypatch.setattr(Figures, "whole", noted(Figures.whole))
    monkeypatch.setattr(Figures, "minutes", noted(Figures.minutes))
    async with serving(admin_key=ADMIN_KEY) as server, aiohttp.ClientSession(server.url) as http:
        await figures(server.url, ADMIN_KEY)
        assert len(threads) == 1
        async with http.get(
            "/v1/admin/figures", headers={"Authorization": f"Bearer {ADMIN_KEY}"}
        ) as answer:
            assert answer.status == 200
    assert len(threads) == 3
    assert threading.main_thread() not in threads
