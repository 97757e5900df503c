"""Speech as OpenAI's own client asks for it."""

from __future__ import annotations

import base64
import io
import json

import av
import openai
import pytest

from inzwa_rtc.audio.container import FORMATS, Format
from inzwa_rtc.audio.frame import BYTES_PER_SAMPLE
from signaling.operations.encoding import PCM_RATE

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXT = "What is the weather like today?"


def seconds(sound: bytes, name: Format) -> float:
    if name == "pcm":
        return len(sound) / BYTES_PER_SAMPLE / PCM_RATE
    with av.open(io.BytesIO(sound), "r") as file:
        return sum(frame.samples / frame.sample_rate for frame in file.decode(audio=0))


@pytest.mark.parametrize("name", FORMATS)
async def test_each_format_is_a_file_of_the_whole_sentence(
    client: openai.AsyncOpenAI, name: Format
) -> None:
    answer = await client.audio.speech.create(
        model="tts-1", voice="alloy", input=TEXT, response_format=name
    )
    assert 1.0 < seconds(answer.content, name) < 3.0


async def test_sound_leaves_in_pieces_as_it_is_made(client: openai.AsyncOpenAI) -> None:
    async with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="nova", input=f"{TEXT} " * 30
    ) as answer:
        assert answer.headers["content-type"] == "audio/mpeg"
        pieces = [piece async for piece in answer.iter_bytes()]
    assert len(pieces) > 3
    assert 30 < seconds(b"".join(pieces), "mp3") < 90


async def test_events_carry_the_same_sound(client: openai.AsyncOpenAI) -> None:
    sound = b""
    events: list[str] = []
    async with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", voice="ash", input=TEXT, stream_format="sse", response_format="wav"
    ) as answer:
        async for line in answer.iter_lines():
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                events.append(event["type"])
                sound += base64.b64decode(event.get("audio", ""))
    assert set(events[:-1]) == {"speech.audio.delta"}
    assert events[-1] == "speech.audio.done"
    assert 1.0 < seconds(sound, "wav") < 3.0


async def test_twice_the_speed_takes_about_half_the_time(client: openai.AsyncOpenAI) -> None:
    usual, quick = [
        await client.audio.speech.create(
            model="espeak", voice="en-us", input=TEXT, speed=speed, response_format="wav"
        )
        for speed in (1.0, 2.0)
    ]
    assert seconds(quick.content, "wav") < 0.7 * seconds(usual.content, "wav")


async def test_a_voice_of_the_engine_is_used_and_an_unknown_one_refused(
    client: openai.AsyncOpenAI,
) -> None:
    await client.audio.speech.create(model="tts-1", voice="sn", input="Mhoro")
    with pytest.raises(openai.BadRequestError) as refused:
        await client.audio.speech.create(model="tts-1", voice="nobody", input="Hello")
    assert refused.value.code == "unknown_voice"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"input": " "}, "empty_text"),
        ({"input": "a" * 50_001}, "text_too_long"),
        ({"input": "\U0001f600"}, "nothing_to_say"),
        ({"speed": 4.5}, "bad_speed"),
        ({"response_format": "ogg"}, "bad_json"),
    ],
)
async def test_what_cannot_be_spoken_is_a_bad_request(
    client: openai.AsyncOpenAI, changed: dict[str, object], code: str
) -> None:
    asked = {"model": "tts-1", "voice": "alloy", "input": "Hello", **changed}
    with pytest.raises(openai.BadRequestError) as refused:
        await client.audio.speech.create(**asked)  # type: ignore[arg-type]
    assert (refused.value.code, refused.value.type) == (code, "invalid_request_error")


async def test_a_model_of_nobody_is_not_found(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        await client.audio.speech.create(model="kokoro-82m", voice="alloy", input="Hello")
    assert refused.value.code == "model_not_found"
