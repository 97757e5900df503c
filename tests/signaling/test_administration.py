"""`/v1/admin`: what operators see of a running server, and what they do to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, closing
from socket import socket as Socket
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from inzwa_rtc.engines.contracts import ReplyRequest, TokenChunk, ToolCall
from inzwa_rtc.errors import EngineError
from tests.signaling.test_socket import socket
from tests.support.caller import calling
from tests.support.engines import ScriptedModel, ScriptedRecognizer
from tests.support.raw_socket import reset
from tests.support.server import Serving, serving, serving_embedded

KEY = "an operator's own key"
HEADERS = {"Authorization": f"Bearer {KEY}"}
PATHS = [
    ("GET", "/v1/admin/calls"),
    ("DELETE", "/v1/admin/calls/x"),
    ("GET", "/v1/admin/engines"),
    ("POST", "/v1/admin/drain"),
    ("DELETE", "/v1/admin/drain"),
    ("GET", "/v1/admin/config"),
    ("GET", "/v1/admin/figures"),
    ("POST", "/v1/admin/warmup"),
]


class Operator:
    """Somebody who has the key."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.http = http

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        sent = {"json": body} if body is not None else {}
        async with self.http.request(method, f"/v1/admin{path}", headers=HEADERS, **sent) as told:
            text = await told.text()
            return told.status, json.loads(text) if text else None

    async def warm_up(self) -> list[dict[str, Any]]:
        async with self.http.post("/v1/admin/warmup", headers=HEADERS) as answer:
            assert answer.status == 200, await answer.text()
            assert answer.content_type == "application/x-ndjson"
            return [json.loads(line) async for line in answer.content]


@asynccontextmanager
async def operated(**settings: Any) -> AsyncIterator[tuple[Serving, Operator]]:
    all_settings = {"admin_key": KEY, "call": {"greeting": ""}, **settings}
    async with serving(**all_settings) as server, aiohttp.ClientSession(server.url) as http:
        yield server, Operator(http)


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_nobody_but_the_operator_sees_or_does_anything(method: str, path: str) -> None:
    async with serving(admin_key=KEY) as server, aiohttp.ClientSession(server.url) as http:
        for headers in ({}, {"Authorization": "Bearer another key of sixteen"}):
            async with http.request(method, path, headers=headers, json={}) as told:
                assert told.status == 401
                assert (await told.json()).keys() == {"code", "message", "action"}
        assert server.calls.takes_calls


async def test_live_calls_are_told_with_where_they_stand() -> None:
    async with operated(llm=ScriptedModel("I am well.")) as (server, operator):
        async with socket(server.url) as client:
            await client.send(type="start")
            await client.send(type="text", text="how are you")
            await client.told("tts.end")
            status, told = await operator.ask("GET", "/calls")
        [call] = told["calls"]
    assert status == 200
    assert (call["transport"], call["turns"], call["language"]) == ("websocket", 1, "en")
    assert call["state"] == "listening"
    assert call["latest"]["first_audio_ms"] >= call["latest"]["first_token_ms"]
    assert call["user"] is None


async def test_a_call_over_webrtc_is_told_with_its_loss() -> None:
    async with operated() as (server, operator), calling(server.url) as caller:
        await caller.heard(4800)
        server.calls.report_lines()
        _, told = await operator.ask("GET", "/calls")
    assert told["calls"][0]["loss"] == 0
    assert told["calls"][0]["score"] > 4
    assert told["calls"][0]["id"] == caller.id


async def test_the_operator_ends_a_call_whose_caller_is_told() -> None:
    async with operated() as (server, operator):
        async with socket(server.url) as client:
            await client.send(type="start")
            call_id = (await client.told("session.started"))["session_id"]
            assert (await operator.ask("DELETE", f"/calls/{call_id}"))[0] == 204
            assert (await client.told("session.ended"))["reason"] == "operator"
            await client.closed()
        status, told = await operator.ask("DELETE", f"/calls/{call_id}")
    assert (status, told["code"]) == (404, "no_such_call")


async def test_a_drained_server_keeps_its_calls_and_takes_none_until_it_is_undone() -> None:
    async with operated() as (server, operator), aiohttp.ClientSession(server.url) as http:
        async with socket(server.url) as live, socket(server.url) as late:
            await live.send(type="start")
            await live.told("session.started")
            assert await operator.ask("POST", "/drain", {}) == (
                200,
                {"takes_calls": False, "calls": 1},
            )
            assert (await http.get("/readyz")).status == 503
            await late.send(type="start")
            assert (await late.told("error"))["code"] == "draining"
            await live.send(type="text", text="are you there")
            await live.told("asr.final")
            _, told = await operator.ask("DELETE", "/drain")
            assert told == {"takes_calls": True, "calls": 1}
        async with socket(server.url) as after:
            await after.send(type="start")
            await after.told("session.started")


async def test_a_drain_needs_no_body() -> None:
    async with operated() as (_, operator):
        assert await operator.ask("POST", "/drain") == (200, {"takes_calls": False, "calls": 0})


async def test_calls_that_outlive_the_time_of_a_drain_are_ended() -> None:
    async with operated() as (server, operator), socket(server.url) as live:
        await live.send(type="start")
        await live.told("session.started")
        await operator.ask("POST", "/drain", {"seconds": 0})
        assert (await live.told("session.ended"))["reason"] == "shutdown"


async def test_a_drain_that_was_undone_ends_no_call() -> None:
    async with operated() as (server, operator):
        await operator.ask("POST", "/drain", {"seconds": 3600})
        timer = server.calls._limit
        await operator.ask("DELETE", "/drain")
        assert timer is not None
        assert timer.cancelled()


@pytest.mark.parametrize("seconds", [-1, "soon", 1e9])
async def test_a_drain_of_no_possible_time_is_refused(seconds: Any) -> None:
    async with operated() as (server, operator):
        status, told = await operator.ask("POST", "/drain", {"seconds": seconds})
        assert (status, told["code"]) == (400, "bad_json")
        assert server.calls.takes_calls


async def test_the_configuration_is_told_with_its_sources_and_without_secrets() -> None:
    llm = {"api_key": "canary-of-a-provider"}
    async with operated(hmac_key="canary-of-names-0001", **{"asr": llm}) as (_, operator):
        status, told = await operator.ask("GET", "/config")
    rows = {row["name"]: row for row in told["settings"]}
    assert status == 200
    assert rows["turn.silence_ms"] == {"name": "turn.silence_ms", "value": 500, "origin": "default"}
    assert "canary" not in json.dumps(told)
    assert KEY not in json.dumps(told)


async def test_the_figures_hold_the_turns_of_the_last_minutes() -> None:
    async with operated(llm=ScriptedModel("I am well.")) as (server, operator):
        async with socket(server.url) as client:
            await client.send(type="start")
            await client.send(type="text", text="how are you")
            await client.told("tts.end")
            _, told = await operator.ask("GET", "/figures?minutes=5")
    assert told["span_s"] == 300
    assert len(told["parts"]) == 30
    assert told["parts"][-1]["stages"]["round_trip"] == told["whole"]["round_trip"]
    assert told["whole"]["round_trip"]["turns"] == 1
    assert (told["calls"], told["calls_limit"]) == (1, 50)


@pytest.mark.parametrize("minutes", ["0", "61", "many"])
async def test_figures_of_no_possible_time_are_refused(minutes: str) -> None:
    async with operated() as (_, operator):
        status, told = await operator.ask("GET", f"/figures?minutes={minutes}")
    assert status == 400
    assert minutes not in told["message"] or minutes == "0"


async def test_a_warm_up_asks_every_engine_for_one_thing() -> None:
    asr, llm = ScriptedRecognizer(""), ScriptedModel("I am well.")
    async with operated(asr=asr, llm=llm) as (server, operator):
        asr.texts = [""]
        heard = len(asr.requests)
        steps = await operator.warm_up()
    assert [(step["kind"], step["step"], step["status"]) for step in steps] == [
        (kind, step, status)
        for kind in ("asr", "llm", "tts")
        for step in ("load", "request")
        for status in ("running", "ok")
    ]
    assert len(asr.requests) == heard + 1
    assert [request.max_tokens for request in llm.requests] == [8]
    assert server.engines.tts.requests[-1].text == "Hello."


async def test_an_engine_that_fails_is_told_and_the_others_are_warmed_up() -> None:
    llm = ScriptedModel(EngineError("It broke.", action="Mend it.", code="broken"))
    async with operated(asr=ScriptedRecognizer(""), llm=llm) as (_, operator):
        steps = await operator.warm_up()
    failed = [step for step in steps if step["status"] == "error"]
    assert [(step["kind"], step["code"], step["message"]) for step in failed] == [
        ("llm", "broken", "It broke. Mend it.")
    ]
    assert steps[-1]["kind"] == "tts"
    assert steps[-1]["status"] == "ok"


class Waiting(ScriptedModel):
    """Replies once it may."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.may = asyncio.Event()

    async def reply(self, request: ReplyRequest) -> AsyncGenerator[TokenChunk | ToolCall, None]:
        self.asked.set()
        await self.may.wait()
        yield TokenChunk("Yes.")


async def test_an_operator_who_leaves_a_warm_up_ends_it_without_an_error() -> None:
    gone = asyncio.Event()
    with closing(Socket()) as client:

        class Left(ScriptedModel):
            async def reply(self, request: ReplyRequest) -> AsyncGenerator[Any, None]:
                yield TokenChunk("Yes.")
                reset(client)  # with no turn of the loop between that and the next two lines
                gone.set()

        async with operated(asr=ScriptedRecognizer(""), llm=Left()) as (server, operator):
            client.connect(("127.0.0.1", server.server.port))
            with capture_logs() as lines:
                head = "POST /v1/admin/warmup HTTP/1.1\r\nHost: localhost"
                client.sendall(f"{head}\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode())
                async with asyncio.timeout(20):
                    await gone.wait()
                await operator.ask("GET", "/engines")
    told = [(line["event"], line["status"]) for line in lines if line["log_level"] != "debug"]
    assert told == [("request", 499)]


async def test_one_warm_up_runs_at_a_time() -> None:
    llm = Waiting()
    async with operated(asr=ScriptedRecognizer(""), llm=llm) as (_, operator):
        first = asyncio.create_task(operator.warm_up())
        await llm.asked.wait()
        status, told = await operator.ask("POST", "/warmup")
        assert (status, told["code"]) == (409, "warmup_running")
        llm.may.set()
        assert (await first)[-1]["status"] == "ok"


async def test_the_embedded_engines_are_warmed_up_and_told_with_their_memory() -> None:
    settings = {"admin_key": KEY, "call": {"greeting": ""}}
    async with (
        serving_embedded(**settings) as server,
        aiohttp.ClientSession(server.url) as http,
    ):
        operator = Operator(http)
        steps = await operator.warm_up()
        _, told = await operator.ask("GET", "/engines")
    assert {step["status"] for step in steps} == {"running", "ok"}
    assert {step["engine"] for step in steps} == {"pocketsphinx", "scripted", "espeak"}
    assert [one["kind"] for one in told["engines"]] == ["asr", "llm", "tts"]
    assert all(one["state"] == "ready" and one["memory_mb"] > 5 for one in told["engines"])
    assert {one["in_flight"] for one in told["engines"]} == {0}
    assert told["server_memory_mb"] > 20
