"""The transcription client against a server that speaks OpenAI's wire format."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import numpy as np
import pytest

from inzwa_rtc.engines.contracts import HeardWord, RecognizeRequest, TranscriptChunk
from tests.engines.remote.asking import Make
from tests.engines.remote.fake_server import FakeServer, answers
from tests.engines.remote.transcribing import (
    SEGMENT,
    SILENCE,
    VERBOSE,
    VOICE,
    recognized,
    sent_audio,
)


async def test_an_utterance_is_sent_as_a_file_and_heard(
    transcription: Make, server: FakeServer
) -> None:
    server.will(answers(VERBOSE))
    chunk = await recognized(transcription(), VOICE * 600)
    assert chunk.text == "Mhoroi."
    assert chunk.language == "sn"
    assert chunk.is_final
    assert chunk.confidence == pytest.approx(0.905, abs=0.001)
    assert chunk.words == (HeardWord("Mhoroi.", 20, 380, chunk.confidence),)
    (asked,) = server.asked
    assert asked.path == "/v1/audio/transcriptions"
    assert asked.form["model"] == ["tiny"]
    assert asked.form["response_format"] == ["verbose_json"]
    assert asked.form["timestamp_granularities[]"] == ["segment", "word"]
    form, samples = sent_audio(asked)
    assert form == (1, 2, 16_000)
    assert np.abs(samples[: 600 * 16]).min() > 7990
    assert len(samples) == 600 * 16


async def test_a_short_utterance_is_made_long_enough_to_be_taken(
    transcription: Make, server: FakeServer
) -> None:
    server.will(answers(VERBOSE))
    await recognized(transcription(), VOICE * 60)
    assert len(sent_audio(server.asked[0])[1]) == 8000


async def test_silence_is_not_sent(transcription: Make, server: FakeServer) -> None:
    chunk = await recognized(transcription(), SILENCE * 600)
    assert (chunk.text, chunk.is_final) == ("", True)
    assert server.asked == []


async def test_what_the_caller_may_say_is_told_the_server(
    transcription: Make, server: FakeServer
) -> None:
    server.will(answers(VERBOSE))
    engine = transcription(hotwords=["Inzwa", "Harare"], prompt="A call.")
    await recognized(engine, request=RecognizeRequest("sn-ZW"))
    assert server.asked[0].form["prompt"] == ["Inzwa, Harare, A call."]
    assert server.asked[0].form["language"] == ["sn"]


async def test_of_a_long_transcript_the_last_words_are_told_the_server_and_the_hotwords_first(
    transcription: Make, server: FakeServer
) -> None:
    words = " ".join(f"w{number}" for number in range(300))
    server.will(answers({"text": words}))
    engine = transcription(hotwords=["Inzwa", "Harare"], prompt="A call.")
    chunk = await recognized(engine, *[VOICE * 1000] * 40)
    assert chunk.text.split() == 2 * words.split()
    first, second = (asked.form["prompt"][0] for asked in server.asked)
    assert first == "Inzwa, Harare, A call."
    assert second.startswith("Inzwa, Harare, w")
    assert second.endswith(" w298 w299")
    assert len(second) <= 446


async def test_a_newer_model_gets_them_as_keywords(transcription: Make, server: FakeServer) -> None:
    server.will(answers({"text": "Mhoroi."}))
    engine = transcription(model="gpt-transcribe", hotwords=["Inzwa", "Harare"])
    chunk = await recognized(engine, request=RecognizeRequest("sn"))
    assert (chunk.language, chunk.confidence) == ("sn", 1.0)
    form = server.asked[0].form
    assert form["keywords[]"] == ["Inzwa", "Harare"]
    assert form["response_format"] == ["json"]
    assert "prompt" not in form


async def test_a_model_that_tells_probabilities_is_asked_for_them(
    transcription: Make, server: FakeServer
) -> None:
    server.will(answers({"text": "Hello", "logprobs": [{"logprob": -0.2}, {"logprob": -0.6}]}))
    chunk = await recognized(transcription(model="gpt-4o-mini-transcribe"))
    assert chunk.confidence == pytest.approx(0.670, abs=0.001)
    assert server.asked[0].form["include[]"] == ["logprobs"]


async def test_translation_is_asked_for_elsewhere(transcription: Make, server: FakeServer) -> None:
    server.will(answers({"text": "Good morning.", "language": "english"}))
    chunk = await recognized(transcription(), request=RecognizeRequest("sn", translate=True))
    assert (chunk.text, chunk.language) == ("Good morning.", "en")
    asked = server.asked[0]
    assert asked.path == "/v1/audio/translations"
    assert "language" not in asked.form


async def test_a_segment_of_no_words_is_left_out(transcription: Make, server: FakeServer) -> None:
    noise = {"start": 0.5, "end": 0.6, "text": " Thank you.", "avg_logprob": -1.4}
    answer = VERBOSE | {
        "text": " Mhoroi. Thank you.",
        "segments": [SEGMENT, noise | {"no_speech_prob": 0.9}],
        "words": [
            {"word": "Mhoroi", "start": 0, "end": 0.3},
            {"word": "Thank", "start": 0.5, "end": 0.55},
            {"word": "you", "start": 0.55, "end": 0.6},
        ],
    }
    server.will(answers(answer))
    chunk = await recognized(transcription())
    assert chunk.text == "Mhoroi."
    assert [word.text for word in chunk.words] == ["Mhoroi."]


async def test_a_server_is_asked_once_for_an_utterance_without_pauses(
    transcription: Make, server: FakeServer
) -> None:
    """The request goes out when the caller falls silent, and its answer is the final one."""
    server.will(answers(VERBOSE))
    await recognized(transcription(), VOICE * 400, SILENCE * 200, SILENCE * 300)
    assert len(server.asked) == 1


async def test_pauses_cost_nothing_if_the_turns_end_is_waited_for(
    transcription: Make, server: FakeServer
) -> None:
    server.will(answers(VERBOSE))
    pieces = (VOICE * 400, SILENCE * 200, VOICE * 400, SILENCE * 200)
    await recognized(transcription(at_pauses=False), *pieces)
    assert len(server.asked) == 1
    assert len(sent_audio(server.asked[0])[1]) == 1200 * 16


async def test_partial_transcripts_come_if_wanted(transcription: Make, server: FakeServer) -> None:
    server.will(answers(VERBOSE))
    told = asyncio.Event()

    async def audio() -> AsyncGenerator[bytes, None]:
        yield VOICE * 600
        await told.wait()
        yield VOICE * 100

    engine = transcription(partial_ms=500)
    chunks: list[TranscriptChunk] = []
    async with asyncio.timeout(30), aclosing(engine.recognize(audio(), RecognizeRequest())) as got:
        async for chunk in got:
            chunks.append(chunk)
            told.set()
    assert [chunk.is_final for chunk in chunks] == [False, True]
