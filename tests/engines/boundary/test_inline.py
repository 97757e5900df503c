"""Engines within the server's process are asked as those in processes of their own are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from inzwa_rtc.engines import registry
from inzwa_rtc.engines.contracts import (
    Message,
    RecognizeRequest,
    ReplyRequest,
    SpeechRequest,
    ToolSpec,
)
from inzwa_rtc.engines.inline import Inline, asked_for_replies, asked_to_recognize
from inzwa_rtc.engines.launch import Launch
from inzwa_rtc.engines.lineup import Engines
from inzwa_rtc.engines.supervised import supervised
from inzwa_rtc.errors import ConfigError, EngineError, EngineUnavailable
from inzwa_rtc.settings import Settings
from tests.engines.contract.asr import heard, noise
from tests.engines.contract.llm import asking

INLINE = {"engine_runs": "inline"}
STUB = Settings(
    asr_engine="fixed",
    llm_engine="fixed",
    tts_engine="tone",
    asr=INLINE,
    llm=INLINE,
    tts=INLINE,
)
PATIENCE_S = 30.0


async def test_all_three_serve_without_a_process() -> None:
    async with asyncio.timeout(PATIENCE_S), Engines(STUB) as engines:
        for status in engines.status().values():
            assert (status.state, status.pid) == ("ready", None)
        with engines.now.lent() as lent:
            (final,) = await heard(lent.asr, noise(1), RecognizeRequest("en"))
            assert final.text == "what can you do"
            async with aclosing(lent.llm.reply(asking("hello", max_tokens=256))) as tokens:
                reply = "".join([one.token async for one in tokens if hasattr(one, "token")])
            assert reply.count(".") == 3
            async with aclosing(lent.tts.synthesize(SpeechRequest(reply))) as chunks:
                told = [chunk async for chunk in chunks]
            assert [chunk.engine for chunk in told] == ["tone"] * 3
            assert lent.tts.sample_rate == 24_000
            assert [(voice.id, voice.engine) for voice in lent.tts.voices] == [("tone", "tone")]


async def test_an_exchange_loads_only_what_has_changed() -> None:
    async with asyncio.timeout(PATIENCE_S), Engines(STUB) as engines:
        before = engines.now
        lineup = await engines.load(STUB.model_copy(update={"llm": {**INLINE, "reply": "No."}}))
        assert engines.use(lineup) == ("llm",)
        assert (lineup.asr, lineup.tts) == (before.asr, before.tts)


class Clumsy:
    """Says something private when it fails."""

    def reply(self, request: ReplyRequest) -> AsyncGenerator[Any, None]:
        raise RuntimeError("the caller's own words")

    async def prepare(self, request: ReplyRequest) -> None:
        raise RuntimeError("the caller's own words")

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def launch() -> Launch:
    return Launch(spec=registry.find("llm", "fixed"), options={}, runs="inline")


async def test_what_goes_wrong_is_an_engine_error_without_anybody_s_words(
    launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "load", lambda spec, options: Clumsy())
    host = Inline(launch)
    async with supervised([host]):
        model: Any = asked_for_replies(host)
        with pytest.raises(EngineError, match=r"RuntimeError at test_inline\.py") as failed:
            async with aclosing(model.reply(asking("hello"))) as tokens:
                await anext(tokens)
        assert "own words" not in str(failed.value)
        with pytest.raises(EngineError, match="RuntimeError"):
            await model.prepare(asking("hello"))
        assert host.in_flight == 0


async def test_a_request_under_way_is_counted_until_its_stream_is_closed(launch: Launch) -> None:
    host = Inline(launch)
    async with supervised([host]):
        async with aclosing(asked_for_replies(host).reply(asking("hello"))) as tokens:
            await anext(tokens)
            assert host.in_flight == 1
        assert host.in_flight == 0


async def test_no_request_is_served_once_it_has_ended(launch: Launch) -> None:
    host = Inline(launch)
    async with supervised([host]):
        model = asked_for_replies(host)
    assert host.state == "stopped"
    with pytest.raises(EngineUnavailable):
        async with aclosing(model.reply(asking("hello"))) as tokens:
            await anext(tokens)


async def test_a_model_that_takes_no_tools_is_shown_none(
    launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[ReplyRequest] = []

    class Reading(Clumsy):
        async def prepare(self, request: ReplyRequest) -> None:
            seen.append(request)

    monkeypatch.setattr(registry, "load", lambda spec, options: Reading())
    host = Inline(launch)
    tool = ToolSpec("lookup", "Looks a word up.")
    async with supervised([host]):
        model: Any = asked_for_replies(host)
        await model.prepare(ReplyRequest((Message("user", "hello"),), tools=(tool,)))
    assert [request.tools for request in seen] == [()]


async def test_translation_is_refused_by_an_engine_that_cannot(launch: Launch) -> None:
    host = Inline(replace(launch, spec=registry.find("asr", "fixed")))
    async with supervised([host]):
        with pytest.raises(EngineError) as refused:
            await heard(asked_to_recognize(host), noise(1), RecognizeRequest("sn", translate=True))
    assert refused.value.code == "cannot_translate"


async def test_options_that_it_cannot_use_are_refused_at_start(launch: Launch) -> None:
    with pytest.raises(ConfigError, match=r"`llm\.nonsense`"):
        async with supervised([Inline(replace(launch, options={"nonsense": 1}))]):
            pass


@pytest.mark.parametrize(
    "options", [{"engine_runs": "ray"}, {"engine_runs": True}, {**INLINE, "engine_python": "/p"}]
)
def test_a_place_that_there_is_not_is_refused_by_name(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"`llm\.engine_runs`"):
        registry.chosen(Settings(llm_engine="fixed", llm=options))


def test_engines_have_processes_of_their_own_unless_told_otherwise() -> None:
    engines = registry.chosen(Settings())
    assert {one.runs for several in engines.values() for one in several} == {"process"}
