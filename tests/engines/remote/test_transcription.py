"""The transcription client against a server that speaks OpenAI's wire format, well or badly."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import numpy as np
import pytest

from inzwa_rtc.engines.asr.openai import OpenAITranscription
from inzwa_rtc.engines.contracts import HeardWord, RecognizeRequest, TranscriptChunk
from inzwa_rtc.errors import EngineError, EngineTimeout, EngineUnavailable
from tests.engines.remote.asking import CANARY, Make
from tests.engines.remote.fake_server import Asked, Behaviour, FakeServer, answers, breaks, hangs

VOICE = np.tile(np.array([8000, -8000], np.int16), 8).tobytes()  # 1 ms of it
SILENCE = bytes(len(VOICE))
SEGMENT = {"start": 0.0, "end": 0.4, "text": " Mhoroi.", "avg_logprob": -0.1, "no_speech_prob": 0.0}
VERBOSE = {
    "language": "shona",
    "text": " Mhoroi.",
    "segments": [SEGMENT],
    "words": [{"word": "Mhoroi", "start": 0.02, "end": 0.38}],
}


async def utterance(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def recognized(
    engine: OpenAITranscription,
    *pieces: bytes,
    request: RecognizeRequest = RecognizeRequest(),  # noqa: B008 - it is frozen
) -> TranscriptChunk:
    audio = utterance(*(pieces or [VOICE * 400]))
    async with asyncio.timeout(30), aclosing(engine.recognize(audio, request)) as chunks:
        return [chunk async for chunk in chunks][-1]


async def error_of(engine: OpenAITranscription, **how: Any) -> EngineError:
    with pytest.raises(EngineError) as caught:
        await recognized(engine, **how)
    assert CANARY not in str(caught.value)
    assert caught.value.action
    return caught.value


def sent_audio(asked: Asked) -> tuple[tuple[int, int, int], np.ndarray[Any, Any]]:
    with wave.open(io.BytesIO(asked.form["file"][0])) as file:
        form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
        return form, np.frombuffer(file.readframes(file.getnframes()), np.int16)


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
