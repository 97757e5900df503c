"""Transcripts as OpenAI's own client asks for them."""

from __future__ import annotations

import openai
import pytest

from inzwa_rtc.audio.container import Format
from tests.support.recordings import RATE, recorded, wav

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "what time is it"


@pytest.mark.parametrize("name", ["wav", "mp3", "opus", "flac", "aac"])
async def test_each_kind_of_file_is_understood(client: openai.AsyncOpenAI, name: Format) -> None:
    told = await client.audio.transcriptions.create(
        model="whisper-1", file=("recording", await recorded(QUESTION, name, 24_000))
    )
    assert told.text == QUESTION


async def test_the_verbose_answer_tells_when_it_was_said(client: openai.AsyncOpenAI) -> None:
    sound = await recorded(QUESTION)
    told = await client.audio.transcriptions.create(
        model="pocketsphinx",
        file=("a.wav", wav(bytes(4 * RATE) + sound[-30_000:], size=0xFFFFFFFF)),
        response_format="verbose_json",
        timestamp_granularities=["segment", "word"],
        language="en",
    )
    assert (told.language, told.segments and told.segments[0].text) == ("en", QUESTION)
    assert told.segments is not None
    assert 1.5 < told.segments[0].start < told.segments[0].end < float(told.duration)


async def test_subtitles_and_plain_text(client: openai.AsyncOpenAI) -> None:
    file = ("a.wav", await recorded(QUESTION))
    create = client.audio.transcriptions.create
    assert await create(model="whisper-1", file=file, response_format="text") == f"{QUESTION}\n"
    srt = await create(model="whisper-1", file=file, response_format="srt")
    assert srt.startswith("1\n00:00:0") and QUESTION in srt
    vtt = await create(model="whisper-1", file=file, response_format="vtt")
    assert vtt.startswith("WEBVTT\n\n00:00:0") and QUESTION in vtt


async def test_a_long_recording_is_told_utterance_by_utterance(
    client: openai.AsyncOpenAI,
) -> None:
    parts = [(await recorded(words))[44:] for words in (QUESTION, "how are you", QUESTION)]
    file = ("a.wav", wav(bytes(2 * RATE).join(parts)))
    events = await client.audio.transcriptions.create(model="whisper-1", file=file, stream=True)
    told = [event async for event in events]
    assert [event.type for event in told] == [
        *["transcript.text.delta"] * 3,
        "transcript.text.done",
    ]
    assert "".join(event.delta for event in told[:-1]) == told[-1].text  # type: ignore[union-attr]


async def test_silence_has_no_words(client: openai.AsyncOpenAI) -> None:
    file = ("a.wav", wav(bytes(3 * RATE)))
    told = await client.audio.transcriptions.create(model="whisper-1", file=file)
    assert told.text == ""


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"language": "zu"}, "unknown_language"),
        ({"timestamp_granularities": ["word"]}, "unsupported_value"),
        ({"include": ["logprobs"]}, "unsupported_value"),
        ({"response_format": "diarized_json"}, "bad_json"),
    ],
)
async def test_what_cannot_be_told_is_a_bad_request(
    client: openai.AsyncOpenAI, asked: dict[str, object], code: str
) -> None:
    file = ("a.wav", await recorded(QUESTION))
    with pytest.raises(openai.BadRequestError) as refused:
        await client.audio.transcriptions.create(model="whisper-1", file=file, **asked)  # type: ignore[call-overload]
    assert refused.value.code == code


async def test_english_is_its_own_translation(client: openai.AsyncOpenAI) -> None:
    file = ("a.wav", await recorded(QUESTION))
    with pytest.warns(DeprecationWarning):  # of the client's
        told = await client.audio.translations.create(
            model="whisper-1", file=file, extra_body={"language": "en"}
        )
    assert told.text == QUESTION


@pytest.mark.parametrize("said", [{}, {"language": "sn"}])
async def test_a_recogniser_that_cannot_translate_makes_up_no_english(
    client: openai.AsyncOpenAI, said: dict[str, str]
) -> None:
    file = ("a.wav", await recorded(QUESTION))
    with pytest.warns(DeprecationWarning), pytest.raises(openai.BadRequestError) as refused:
        await client.audio.translations.create(model="whisper-1", file=file, extra_body=said)
    assert refused.value.code == "cannot_translate"


async def test_too_large_a_file_is_refused_as_such(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        await client.audio.transcriptions.create(
            model="whisper-1", file=("a.wav", wav(bytes(10_000_001)))
        )
    assert (refused.value.status_code, refused.value.code) == (413, "too_large")
