"""The speech client for servers with OpenAI's interface."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from inzwa_rtc.engines.contracts import SpeechChunk, SpeechRequest
from inzwa_rtc.engines.tts.openai import OpenAISpeechOptions
from inzwa_rtc.errors import EngineUnavailable
from tests.engines.remote.asking import Make
from tests.engines.remote.fake_server import FakeServer, answers, hangs, streams
from tests.engines.remote.speaking import (
    REQUEST,
    encoded,
    error_of,
    openai_speech,
    speech,
    spoken,
    tone,
    wav,
)


async def test_sound_comes_as_the_server_sends_it(openai_voice: Make, server: FakeServer) -> None:
    more = asyncio.Event()
    server.will(streams([tone(40), tone(60)], kind="audio/pcm", when=more))
    engine = openai_voice()
    async with asyncio.timeout(30), aclosing(engine.synthesize(REQUEST)) as chunks:
        assert await anext(chunks) == SpeechChunk(tone(40))
        more.set()
        assert [chunk async for chunk in chunks] == [SpeechChunk(tone(60))]


async def test_the_request_has_what_the_options_say(openai_voice: Make, server: FakeServer) -> None:
    server.will(openai_speech)
    engine = openai_voice(
        model="kokoro",
        api_key="key",
        voices=["af_heart", "am_adam"],
        instructions="Speak slowly.",
        extra_body={"lang_code": "a", "instructions": None},
    )
    await speech(engine, SpeechRequest("One\x07two \ud83d", "am_adam", speed=1.5))
    (asked,) = server.asked
    assert asked.path == "/v1/audio/speech"
    assert asked.headers["Authorization"] == "Bearer key"
    assert asked.headers["Accept-Encoding"] == "identity"
    assert asked.body == {
        "model": "kokoro",
        "voice": "am_adam",
        "input": "One two  ",
        "response_format": "pcm",
        "speed": 1.5,
        "lang_code": "a",
    }
    assert [voice.id for voice in engine.voices] == ["af_heart", "am_adam"]


async def test_a_usual_request_has_nothing_that_need_not_be_told(
    openai_voice: Make, server: FakeServer
) -> None:
    server.will(openai_speech)
    await speech(openai_voice(), SpeechRequest("One."))
    assert server.asked[0].body == {
        "model": "tiny",
        "voice": "alloy",
        "input": "One.",
        "response_format": "pcm",
    }


@pytest.mark.parametrize("form", ["wav", "mp3", "opus", "aac", "flac"])
async def test_other_formats_become_the_same_sound(
    openai_voice: Make, server: FakeServer, form: str
) -> None:
    server.will(openai_speech)
    chunks = await speech(openai_voice(response_format=form), SpeechRequest("w" * 20))
    heard = np.frombuffer(b"".join(chunk.pcm for chunk in chunks), "<i2")
    assert heard.size / 24_000 == pytest.approx(1.0, abs=0.1)
    spectrum = np.abs(np.fft.rfft(heard))
    assert spectrum.argmax() * 24_000 / heard.size == pytest.approx(300, abs=3)
    assert len(chunks[0].pcm) <= 2 * 2400


@pytest.mark.parametrize("form", ["mp3", "opus", "aac", "flac"])
async def test_a_compressed_sound_is_heard_before_it_has_all_come(
    openai_voice: Make, server: FakeServer, form: str
) -> None:
    whole = encoded(tone(6000), form)
    server.will(streams([whole[: len(whole) * 2 // 3]], then=hangs, kind=f"audio/{form}"))
    engine = openai_voice(response_format=form)
    async with asyncio.timeout(30), aclosing(engine.synthesize(REQUEST)) as chunks:
        assert (await anext(chunks)).pcm
    await server.until_left()


@pytest.mark.parametrize("form", ["wav", "mp3", "opus", "aac", "flac"])
async def test_what_is_not_of_the_format_is_an_error(
    openai_voice: Make, server: FakeServer, form: str
) -> None:
    server.will(streams([b"#EXTM3U\nfile:///etc/passwd\n" * 1000], kind=f"audio/{form}"))
    assert "is not an answer" in str(await error_of(openai_voice(response_format=form)))


async def test_another_rate_is_made_the_engines_own(openai_voice: Make, server: FakeServer) -> None:
    server.will(streams([wav(tone(500, 44_100), rate=44_100)], kind="audio/wav"))
    heard = await spoken(openai_voice(response_format="wav"))
    assert len(heard) / 48 == pytest.approx(500, abs=20)


@pytest.mark.parametrize(
    ("body", "kind", "form"),
    [
        (wav(tone(100)), "audio/pcm", "wav"),
        (encoded(tone(100), "opus"), "application/octet-stream", "opus"),
        (encoded(tone(100), "flac"), "audio/flac", "flac"),
        (b"\xff\xfb\x90\x00" + bytes(100), "audio/mpeg", "mp3"),
    ],
    ids=["wav", "opus", "flac", "mp3"],
)
async def test_another_format_than_was_asked_for_is_named(
    openai_voice: Make, server: FakeServer, body: bytes, kind: str, form: str
) -> None:
    server.will(streams([body], kind=kind))
    error = await error_of(openai_voice())
    assert f"`tts.response_format` to {form}" in error.action
    assert len(server.asked) == 1


async def test_another_rate_of_samples_alone_is_named(
    openai_voice: Make, server: FakeServer
) -> None:
    server.will(streams([tone(100)], kind="audio/L16;rate=16000"))
    assert "`tts.sample_rate` to 16000" in (await error_of(openai_voice())).action
    engine = openai_voice(sample_rate=16_000)
    assert (engine.sample_rate, await spoken(engine)) == (16_000, tone(100))


async def test_a_voice_that_the_server_lacks_is_named(
    openai_voice: Make, server: FakeServer
) -> None:
    server.will(answers({"error": {"message": "no", "param": "voice"}}, 400))
    error = await error_of(openai_voice())
    assert error.code == "unknown_voice"
    assert "`tts.voices`" in error.action


async def test_the_server_is_asked_at_start_whether_it_takes_the_key(
    openai_voice: Make, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.will(answers({"error": {"message": "no"}}, 401))
    with pytest.raises(EngineUnavailable, match=r"tts\.api_key"):
        await asyncio.to_thread(openai_voice, check_at_start=True)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(EngineUnavailable, match="OPENAI_API_KEY"):
        openai_voice(base_url="https://api.openai.com/v1")


def test_another_sound_has_another_fingerprint(openai_voice: Make) -> None:
    others: list[dict[str, Any]] = [
        {},
        {"instructions": "Whisper."},
        {"model": "other"},
        {"response_format": "mp3"},
        {"extra_body": {"exaggeration": 1}},
        {"base_url": "http://127.0.0.1:1/v1"},
    ]
    prints = [openai_voice(**options).fingerprint for options in others]
    assert len(set(prints)) == len(prints)
    assert openai_voice(api_key="key", max_concurrent=3).fingerprint == prints[0]


@pytest.mark.parametrize(
    "options",
    [
        {"voices": []},
        {"voices": ["a", "a"]},
        {"voices": [" "]},
        {"response_format": "m3u"},
        {"extra_body": {"input": "x"}},
        {"sample_rate": 0},
        {"max_chars": 0},
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(options))):
        OpenAISpeechOptions.model_validate({"model": "m", **options})
