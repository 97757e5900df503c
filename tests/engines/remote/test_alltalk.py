"""The client of AllTalk: its voices, its requests, and when it is told to stop."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from aiohttp import web

from inzwa_rtc.engines.contracts import SpeechRequest
from inzwa_rtc.errors import EngineError, EngineUnavailable
from tests.engines.remote import speaking
from tests.engines.remote.asking import Make
from tests.engines.remote.fake_server import FakeServer, answers, hangs, streams
from tests.engines.remote.speaking import REQUEST, error_of, speech, spoken, tone, wav

STOP = "/api/stop-generation"
BEGINS = streams([wav(tone(100), size=0)], then=hangs, kind="audio/wav")


def stops(server: FakeServer) -> int:
    return sum(asked.path == STOP for asked in server.asked)


async def begins(request: web.Request) -> web.StreamResponse:
    """Speaks on and on, and stops when it is told to."""
    return await (speaking.alltalk if request.path == STOP else BEGINS)(request)


async def test_its_voices_are_read_at_start_and_the_default_is_first(
    alltalk: Make, server: FakeServer
) -> None:
    server.will(speaking.alltalk)
    engine = await asyncio.to_thread(alltalk, check_at_start=True)
    names = [voice.id for voice in engine.voices]
    assert names == ["female_01.wav", "male_01.wav", "latent:a.json"]
    assert engine.voices[0].name == "female 01"


async def test_a_default_voice_that_is_not_there_is_refused_at_start(
    alltalk: Make, server: FakeServer
) -> None:
    server.will(speaking.alltalk)
    with pytest.raises(EngineError, match=r"female_01\.wav") as refused:
        await asyncio.to_thread(alltalk, check_at_start=True, voice="nobody.wav")
    assert refused.value.code == "unknown_voice"


@pytest.mark.parametrize("voices", [[], ["No Voices Found"]])
async def test_a_server_without_voices_is_named(
    alltalk: Make, server: FakeServer, voices: list[str]
) -> None:
    server.will(answers({"status": "success", "voices": voices}))
    with pytest.raises(EngineError, match="has no voices"):
        await asyncio.to_thread(alltalk, check_at_start=True)


@pytest.mark.parametrize(
    ("language", "told"), [("en-GB", "en"), ("zh", "zh-cn"), ("fr", "fr"), ("sn", "en")]
)
async def test_the_request_is_the_streaming_one(
    alltalk: Make, server: FakeServer, language: str, told: str
) -> None:
    queries: list[dict[str, str]] = []

    async def behave(request: web.Request) -> web.StreamResponse:
        queries.append(dict(request.query))
        return await speaking.alltalk(request)

    server.will(behave)
    text = "One & two\x07 = 3?#é"
    assert await spoken(alltalk(), SpeechRequest(text, language=language))
    assert server.asked[0].path == "/api/tts-generate-streaming"
    assert queries == [
        {
            "text": "One & two  = 3?#é",
            "voice": "female_01.wav",
            "language": told,
            "output_file": "inzwa_rtc_stream",
        }
    ]


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF, None])
async def test_the_length_in_the_header_need_not_be_true(
    alltalk: Make, server: FakeServer, size: int | None
) -> None:
    server.will(streams([wav(tone(300), size=size)], kind="audio/wav"))
    assert await spoken(alltalk()) == tone(300)


async def test_a_model_that_does_not_stream_is_named(alltalk: Make, server: FakeServer) -> None:
    server.will(answers({"detail": "Streaming not supported by current TTS engine"}, 400))
    error = await error_of(alltalk())
    assert isinstance(error, EngineUnavailable)
    assert "XTTS" in error.action


async def test_a_speech_that_is_closed_early_is_stopped_there(
    alltalk: Make, server: FakeServer
) -> None:
    server.will(begins)
    engine = alltalk()
    async with aclosing(engine.synthesize(REQUEST)) as chunks:
        await anext(chunks)
    await server.until_asked(2)
    assert stops(server) == 1


async def test_one_that_ends_well_or_fails_is_not(alltalk: Make, server: FakeServer) -> None:
    server.will(speaking.alltalk, answers({}, 422))
    engine = alltalk()
    await speech(engine)
    await error_of(engine)
    await engine.aclose()
    assert stops(server) == 0


async def test_nobody_elses_speech_is_stopped(alltalk: Make, server: FakeServer) -> None:
    server.will(begins)
    engine = alltalk()
    first, second = engine.synthesize(REQUEST), engine.synthesize(REQUEST)
    async with asyncio.timeout(30):
        await anext(first)
        await anext(second)
        await first.aclose()
        await server.until_left()
        assert stops(server) == 0
        await second.aclose()
        await engine.aclose()  # once it has said what it had to
    assert stops(server) == 1


async def test_the_next_speech_waits_until_the_stop_has_been_taken(
    alltalk: Make, server: FakeServer
) -> None:
    """It would be stopped too."""
    taken = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        if request.path == STOP:
            await taken.wait()
        return await begins(request)

    server.will(slow)
    engine = alltalk()
    async with aclosing(engine.synthesize(REQUEST)) as chunks:
        await anext(chunks)
    await server.until_asked(2)
    server.will(speaking.alltalk)
    waiting = asyncio.create_task(spoken(engine))
    for _ in range(20):  # turns of the loop: were it sent, it would be here by now
        await asyncio.sleep(0)
    assert [asked.path for asked in server.asked][-1] == STOP
    taken.set()
    assert await waiting


async def test_it_can_be_told_to_stop_nothing(alltalk: Make, server: FakeServer) -> None:
    server.will(begins)
    engine = alltalk(stop=False)
    async with aclosing(engine.synthesize(REQUEST)) as chunks:
        await anext(chunks)
    await server.until_left()
    await engine.aclose()
    assert stops(server) == 0


async def test_a_stop_left_over_from_before_costs_one_attempt(
    alltalk: Make, server: FakeServer
) -> None:
    """AllTalk keeps one that came too late, and ends the next speech after its header."""
    server.will(streams([wav(b"", size=0)], kind="audio/wav"), speaking.alltalk)
    assert await spoken(alltalk())
    assert len(server.asked) == 2
