"""The server's own paths for speech, transcripts and answers."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import aiohttp
import av
import pytest

from tests.support.engines import ScriptedModel, ScriptedRecognizer, ToneSynthesizer
from tests.support.recordings import recorded
from tests.support.server import serving

QUESTION: Any = {"messages": [{"role": "user", "content": "How are you?"}]}


async def test_a_recording_is_answered_with_its_words() -> None:
    sound = base64.b64encode(await recorded("good morning", "pcm", 24_000)).decode()
    recognizer = ScriptedRecognizer("Good morning.")
    async with serving(asr=recognizer) as server, aiohttp.ClientSession(server.url) as client:
        asked = {"audio_base64": sound, "sample_rate": 24_000, "language": "en-GB"}
        answer = await client.post("/v1/asr", json=asked)
        told = await answer.json()
    assert answer.status == 200
    segment = told["segments"][0]
    assert (told["text"], segment["text"]) == ("Good morning.",) * 2
    assert 0 <= segment["start_ms"] < segment["end_ms"] <= told["duration"] * 1000 + 20
    assert (told["language"], told["confidence"]) == ("en", 1.0)
    assert recognizer.requests[0].language == "en-GB"


async def test_a_reply_streams_as_events_and_ends_with_what_it_took() -> None:
    async with (
        serving(llm=ScriptedModel("I am well. And you?")) as server,
        aiohttp.ClientSession(server.url) as client,
    ):
        answer = await client.post("/v1/chat", json={**QUESTION, "stream": True})
        assert answer.content_type == "text/event-stream"
        events = (await answer.text()).strip().split("\n\n")
    tokens = [json.loads(event.removeprefix("data: ")) for event in events[:-1]]
    assert tokens == [{"token": "I am well. "}, {"token": "And you?"}]
    name, data = events[-1].split("\n")
    assert name == "event: done"
    assert json.loads(data.removeprefix("data: "))["usage"]["completion_tokens"] == 5


async def test_a_reply_without_a_stream_is_one_object() -> None:
    model = ScriptedModel("I am well.")
    async with serving(llm=model) as server, aiohttp.ClientSession(server.url) as client:
        told = await (await client.post("/v1/chat", json=QUESTION)).json()
    assert (told["text"], told["finish_reason"]) == ("I am well.", "stop")
    assert [message.role for message in model.requests[0].messages] == ["system", "user"]


@pytest.mark.parametrize(
    ("asked", "content_type", "kind"),
    [
        ({}, "audio/ogg; codecs=opus", "ogg"),
        ({"format": "wav"}, "audio/wav", "wav"),
        ({"format": "mp3"}, "audio/mpeg", "mp3"),
        ({"format": "flac"}, "audio/flac", "flac"),
        ({"format": "aac"}, "audio/aac", "aac"),
    ],
)
async def test_speech_comes_in_the_format_that_is_asked_for(
    asked: dict[str, str], content_type: str, kind: str
) -> None:
    async with serving() as server, aiohttp.ClientSession(server.url) as client:
        answer = await client.post("/v1/tts", json={"text": "Good morning.", **asked})
        sound = await answer.read()
    assert (answer.status, answer.headers["Content-Type"]) == (200, content_type)
    with av.open(io.BytesIO(sound), "r") as file:
        assert file.format.name == kind
        assert sum(frame.samples for frame in file.decode(audio=0)) > 0


async def test_a_long_text_is_taken_where_speech_streams() -> None:
    text = "One two three. " * 3_000
    async with serving() as server, aiohttp.ClientSession(server.url) as client:
        async with client.post("/v1/tts", json={"text": text, "format": "pcm"}) as answer:
            assert answer.headers["Content-Type"] == "audio/pcm; rate=24000; channels=1"
            size = sum([len(piece) async for piece in answer.content.iter_any()])
    assert size / 2 / 24_000 == pytest.approx(9_000 * 0.2, rel=0.02)  # joined by cross-fades


async def test_the_voice_and_speed_reach_the_engine() -> None:
    tts = ToneSynthesizer()
    async with serving(tts=tts) as server, aiohttp.ClientSession(server.url) as client:
        asked = {"text": "Good morning.", "voice": "low", "speed": 1.5, "language": "en"}
        await (await client.post("/v1/tts", json=asked)).read()
    assert (tts.requests[-1].voice, tts.requests[-1].speed) == ("low", 1.5)


async def test_a_server_without_voice_says_so_on_every_path() -> None:
    sound = base64.b64encode(await recorded("good morning")).decode()
    async with (
        serving(voice_enabled=False) as server,
        aiohttp.ClientSession(server.url) as client,
    ):
        for path, asked in (
            ("/v1/asr", {"audio_base64": sound}),
            ("/v1/chat", QUESTION),
            ("/v1/tts", {"text": "Good morning."}),
        ):
            answer = await client.post(path, json=asked)
            assert (answer.status, (await answer.json())["code"]) == (503, "voice_disabled")
