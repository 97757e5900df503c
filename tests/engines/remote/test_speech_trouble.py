"""Speech engines on a server that is busy, refuses, breaks off, or sends what is no sound."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import pytest
from structlog.testing import capture_logs

from inzwa_rtc.errors import EngineError, EngineTimeout, EngineUnavailable
from tests.engines.remote import speaking
from tests.engines.remote.asking import CANARY, Make
from tests.engines.remote.fake_server import (
    Behaviour,
    FakeServer,
    answers,
    breaks,
    drips,
    hangs,
    streams,
)
from tests.engines.remote.speaking import REQUEST, error_of, speech, spoken, tone, wav


@dataclass(frozen=True)
class Case:
    """An engine, what its server is, and how that one writes a sound of which more is to come."""

    make: Make
    good: Behaviour
    kind: str
    write: Callable[[bytes], bytes]


def _line(pcm: bytes) -> bytes:
    return json.dumps({"audio_base64": base64.b64encode(pcm).decode()}).encode() + b"\n"


@pytest.fixture(params=["openai", "elevenlabs", "elevenlabs plain", "alltalk"])
def case(
    request: pytest.FixtureRequest, openai_voice: Make, elevenlabs: Make, alltalk: Make
) -> Case:
    def with_model(**options: Any) -> Any:
        return openai_voice(**{"model": "tiny", "api_key": "key", **options})

    def plain(**options: Any) -> Any:
        return elevenlabs(word_times=False, **options)

    return {
        "openai": Case(with_model, speaking.openai_speech, "audio/pcm", bytes),
        "elevenlabs": Case(elevenlabs, speaking.elevenlabs, "application/json", _line),
        "elevenlabs plain": Case(plain, speaking.elevenlabs, "audio/pcm", bytes),
        "alltalk": Case(
            alltalk, speaking.alltalk, "audio/wav", lambda pcm: wav(pcm, size=0xFFFFFFFF)
        ),
    }[str(request.param)]


@pytest.mark.parametrize(
    "trouble",
    [
        answers({}, 500),
        answers({}, 503),
        answers({}, 429, Retry_After="0"),
        answers({"error": {"code": "overloaded"}}, 529),
        breaks,
        streams([], kind="audio/pcm"),
    ],
    ids=["500", "503", "429", "529", "breaks", "empty"],
)
async def test_what_passes_is_asked_again(
    case: Case, server: FakeServer, trouble: Behaviour
) -> None:
    server.will(trouble, case.good)
    assert await spoken(case.make())
    first, second = server.asked
    assert (first.path, first.body) == (second.path, second.body)


async def test_a_busy_server_is_named_after_three_attempts(case: Case, server: FakeServer) -> None:
    server.will(answers({"detail": CANARY}, 429))
    error = await error_of(case.make())
    assert error.code == "engine_busy"
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("status", "code", "named"),
    [
        (400, None, "tts"),
        (401, "engine_unavailable", "`tts.api_key`"),
        (403, "engine_unavailable", "`tts.api_key`"),
        (402, "quota_exceeded", "account's balance"),
        (404, None, "tts."),
        (422, "request_refused", "`tts.model`"),
    ],
)
async def test_a_refusal_is_an_error_at_once(
    case: Case, server: FakeServer, status: int, code: str | None, named: str
) -> None:
    server.will(answers({"error": {"message": CANARY}, "detail": CANARY}, status))
    error = await error_of(case.make())
    assert code in (error.code, None)
    assert named in str(error) or status == 400
    assert len(server.asked) == 1


async def test_a_redirect_is_named_and_not_followed(case: Case, server: FakeServer) -> None:
    server.will(answers("", 302, Location=f"{server.url}/elsewhere?{CANARY}"))
    assert "redirects to http://127.0.0.1 (302" in str(await error_of(case.make()))
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "behaviour",
    [
        answers(f"<html>{CANARY}", 200, "text/html"),
        answers(f"<html>{CANARY}", 200, "text/plain"),
        answers({"data": CANARY}),
        answers("[" * 100_000),
    ],
    ids=["html", "text", "json", "nested"],
)
async def test_what_is_no_sound_is_an_error_at_once(
    case: Case, server: FakeServer, behaviour: Behaviour
) -> None:
    server.will(behaviour)
    assert "is not an answer" in str(await error_of(case.make()))
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "told", [{"error": {"message": CANARY}}, {"detail": {"status": "x", "message": CANARY}}]
)
async def test_an_error_in_an_answer_that_looks_good_is_one(
    case: Case, server: FakeServer, told: Any
) -> None:
    server.will(answers(told), case.good)
    assert await spoken(case.make())
    assert len(server.asked) == 2


async def test_a_silent_server_costs_no_more_than_the_first_sound_may_take(
    case: Case, server: FakeServer
) -> None:
    server.will(hangs)
    error = await error_of(case.make(first_audio_timeout_s=0.05))
    assert isinstance(error, EngineTimeout)
    assert "tts.first_audio_timeout_s" in str(error)
    await server.until_idle()


async def test_a_server_that_falls_silent_within_the_sound_is_named(
    case: Case, server: FakeServer
) -> None:
    server.will(streams([case.write(tone(100))], then=hangs, kind=case.kind))
    error = await error_of(case.make(next_audio_timeout_s=0.05, first_audio_timeout_s=30))
    assert isinstance(error, EngineTimeout)
    assert "tts.next_audio_timeout_s" in str(error)
    await server.until_left()


async def test_a_server_that_drips_is_silent(case: Case, server: FakeServer) -> None:
    async def drops() -> AsyncIterator[bytes]:
        yield case.write(tone(100))
        while True:  # blanks are nothing to a reader of lines, and half of a sample to others
            yield b" "
            await asyncio.sleep(0.02)

    server.will(drips(drops(), kind=case.kind))
    error = await error_of(case.make(next_audio_timeout_s=0.1, first_audio_timeout_s=30))
    assert isinstance(error, EngineTimeout)


async def test_a_cut_sound_is_an_error_and_nothing_is_asked_again(
    case: Case, server: FakeServer
) -> None:
    server.will(streams([case.write(tone(100))], then=breaks, kind=case.kind))
    heard = b""
    engine = case.make()
    with pytest.raises(EngineError, match="broke"):
        async with aclosing(engine.synthesize(REQUEST)) as chunks:
            async for chunk in chunks:
                heard += chunk.pcm
    assert heard == tone(100)
    assert [asked.path for asked in server.asked if "stop" not in asked.path] == [
        server.asked[0].path
    ]


async def test_half_a_sample_at_the_end_is_a_cut(case: Case, server: FakeServer) -> None:
    server.will(streams([case.write(tone(100) + b"x")], kind=case.kind))
    assert "broke off" in str(await error_of(case.make()))


async def test_a_sound_in_pieces_of_odd_length_is_whole(case: Case, server: FakeServer) -> None:
    written = case.write(tone(300))
    pieces = [written[start : start + 333] for start in range(0, len(written), 333)]
    server.will(streams(pieces, kind=case.kind))
    chunks = await speech(case.make())
    assert b"".join(chunk.pcm for chunk in chunks) == tone(300)
    assert all(len(chunk.pcm) % 2 == 0 for chunk in chunks)


async def test_a_speech_that_does_not_end_is_ended(case: Case, server: FakeServer) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield case.write(tone(100))
        while True:
            yield _line(tone(1000)) if case.write is _line else tone(1000)

    server.will(drips(endless(), kind=case.kind))
    assert "not an answer" in str(await error_of(case.make()))
    await server.until_left()


async def test_closing_a_speech_closes_its_connection(case: Case, server: FakeServer) -> None:
    server.will(streams([case.write(tone(100))], then=hangs, kind=case.kind), case.good)
    engine = case.make(max_concurrent=1)
    async with aclosing(engine.synthesize(REQUEST)) as chunks:
        await anext(chunks)
    await server.until_left()
    assert await spoken(engine)


async def test_leaving_before_the_first_sound_closes_the_connection(
    case: Case, server: FakeServer
) -> None:
    server.will(hangs)
    waiting = asyncio.create_task(speech(case.make()))
    await server.until_asked()
    waiting.cancel()
    await asyncio.wait({waiting})
    await server.until_left()


async def test_a_server_that_is_not_there_is_named(case: Case, nobody: str) -> None:
    error = await error_of(case.make(base_url=nobody))
    assert isinstance(error, EngineUnavailable)
    assert "cannot be reached" in str(error)
    assert "tts.base_url" in error.action


async def test_no_proxy_is_asked_for_what_is_not_encrypted(
    case: Case, server: FakeServer, nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, nobody)
    server.will(case.good)
    assert await spoken(case.make())


@pytest.mark.parametrize(
    "behaviour",
    [
        answers({}, 401),
        answers({}, 500),
        answers("", 302, Location="http://elsewhere.example/"),
        breaks,
        streams([b"<html>"], kind="audio/pcm"),
    ],
    ids=["401", "500", "302", "breaks", "garbage"],
)
async def test_no_key_is_told_whatever_goes_wrong(
    case: Case,
    server: FakeServer,
    behaviour: Behaviour,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.will(behaviour)
    keys = {"api_key": "key-canary-1", "headers": {"X-Gateway": "key-canary-2"}}
    engine = case.make(**keys)
    with caplog.at_level(logging.INFO), capture_logs() as lines:
        error = await error_of(engine)
    told = "".join(traceback.format_exception(error))
    for where in (told, repr(lines), caplog.text, repr(engine.details), repr(error.__dict__)):
        assert "key-canary" not in where
        assert CANARY not in where
    sent = server.asked[0].headers
    assert "key-canary-1" in repr(sent)
    assert sent["X-Gateway"] == "key-canary-2"
