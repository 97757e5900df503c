"""The transcription client where the server is busy, refuses, or sends what is no answer, and where
the caller leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest

from inzwa_rtc.engines.contracts import RecognizeRequest
from inzwa_rtc.errors import EngineError, EngineTimeout, EngineUnavailable
from tests.engines.remote.asking import CANARY, Make
from tests.engines.remote.fake_server import Behaviour, FakeServer, answers, breaks, hangs
from tests.engines.remote.transcribing import (
    SILENCE,
    VERBOSE,
    VOICE,
    error_of,
    recognized,
)


async def test_a_request_for_a_partial_transcript_gives_way_to_a_final_one(
    transcription: Make, server: FakeServer
) -> None:
    server.will(hangs, answers(VERBOSE))
    engine = transcription(max_concurrent=1, partial_ms=500)

    async def audio() -> AsyncGenerator[bytes, None]:
        yield VOICE * 600
        await asyncio.Event().wait()

    async with aclosing(engine.recognize(audio(), RecognizeRequest())) as other:
        waiting = asyncio.ensure_future(anext(other))
        await server.until_asked()
        assert (await recognized(engine)).text == "Mhoroi."
        waiting.cancel()
        await asyncio.wait({waiting})


async def test_cancelling_frees_the_connection(transcription: Make, server: FakeServer) -> None:
    server.will(hangs, answers(VERBOSE))
    engine = transcription(max_concurrent=1)
    task = asyncio.create_task(recognized(engine))
    await server.until_asked()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await server.until_left()
    assert (await recognized(engine)).text == "Mhoroi."


async def test_leaving_in_mid_utterance_frees_the_connection(
    transcription: Make, server: FakeServer
) -> None:
    server.will(hangs, answers(VERBOSE))
    engine = transcription(max_concurrent=1)

    async def audio() -> AsyncGenerator[bytes, None]:
        yield VOICE * 400 + SILENCE * 200
        await asyncio.Event().wait()

    async def listen() -> None:
        async with aclosing(engine.recognize(audio(), RecognizeRequest())) as chunks:
            async for _ in chunks:
                pass

    task = asyncio.create_task(listen())
    await server.until_asked()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await server.until_left()
    assert (await recognized(engine)).text == "Mhoroi."


@pytest.mark.parametrize(
    ("status", "kind", "named"),
    [
        (400, EngineError, "asr.model"),
        (401, EngineUnavailable, "asr.api_key"),
        (404, EngineUnavailable, "`tiny`"),
    ],
)
async def test_a_refusal_is_an_error_at_once(
    transcription: Make, server: FakeServer, status: int, kind: type[EngineError], named: str
) -> None:
    server.will(answers({"error": {"message": CANARY, "param": CANARY}}, status))
    error = await error_of(transcription())
    assert type(error) is kind
    assert named in str(error)
    assert len(server.asked) == 1


async def test_a_language_that_the_model_does_not_know_is_named(
    transcription: Make, server: FakeServer
) -> None:
    server.will(answers({"error": {"message": "invalid", "param": "language"}}, 400))
    error = await error_of(transcription(), request=RecognizeRequest("nd"))
    assert error.code == "unknown_language"
    assert "`nd`" in str(error)


@pytest.mark.parametrize(
    "trouble",
    [answers({}, 500), answers({}, 503), answers({}, 429, Retry_After="0"), breaks],
    ids=["500", "503", "429", "breaks"],
)
async def test_what_passes_is_asked_again(
    transcription: Make, server: FakeServer, trouble: Behaviour
) -> None:
    server.will(trouble, answers(VERBOSE))
    assert (await recognized(transcription())).text == "Mhoroi."
    first, second = server.asked
    assert first.form == second.form


async def test_a_silent_server_costs_no_more_than_a_transcript_may_take(
    transcription: Make, server: FakeServer
) -> None:
    server.will(hangs)
    error = await error_of(transcription(timeout_s=0.05))
    assert isinstance(error, EngineTimeout)
    assert "asr.timeout_s" in str(error)
    await server.until_idle()


@pytest.mark.parametrize(
    "behaviour",
    [
        answers("<html>", 200, "text/html"),
        answers(CANARY),
        answers("[]"),
        answers({}),
        answers({"text": 1}),
        answers('{"text": "cut'),
        answers("x" * 9 * 1024 * 1024),
    ],
    ids=["html", "words", "list", "nothing", "number", "cut", "huge"],
)
async def test_what_is_no_transcript_is_an_error_at_once(
    transcription: Make, server: FakeServer, behaviour: Behaviour
) -> None:
    server.will(behaviour)
    assert "is not an answer" in str(await error_of(transcription()))
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "odd",
    [
        {"segments": 1, "words": {}, "language": 3},
        {"segments": [None, {"avg_logprob": "x"}], "words": [{}, {"word": 1}], "logprobs": "?"},
        {"words": [{"word": "a", "start": -1, "end": None}, {"word": " ", "start": 0, "end": 1}]},
        {"segments": [{"avg_logprob": 5.0, "no_speech_prob": 2}], "language": "klingon"},
        {"segments": [{"avg_logprob": 1e6, "no_speech_prob": 10**400}]},
        {"segments": [{"avg_logprob": 1e6, "no_speech_prob": 0}], "logprobs": [{"logprob": 1e308}]},
        {"words": [{"word": "a", "start": 1e308, "end": 1e308}]},
        {"words": [{"word": "a", "start": 0, "end": -(10**400)}]},
    ],
)
async def test_members_that_are_not_what_they_should_be_are_done_without(
    transcription: Make, server: FakeServer, odd: dict[str, Any]
) -> None:
    server.will(answers({"text": "Mhoroi."} | odd))
    chunk = await recognized(transcription())
    assert (chunk.text, chunk.language, chunk.confidence) == ("Mhoroi.", "", 1.0)
    assert chunk.words == ()


async def test_half_a_character_is_not_passed_on(transcription: Make, server: FakeServer) -> None:
    server.will(answers('{"text": "Mhoroi \\ud83d", "words": []}'))
    assert (await recognized(transcription())).text == "Mhoroi ?"


async def test_a_redirect_is_named_and_not_followed(
    transcription: Make, server: FakeServer
) -> None:
    server.will(answers("", 301, Location="http://elsewhere.example/"))
    assert "redirects to http://elsewhere.example (301" in str(await error_of(transcription()))
    assert len(server.asked) == 1
