"""What Whisper is asked for, and which of its answers are believed."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import numpy as np
import pytest

from inzwa_rtc.engines.asr.decoding import Stretch
from inzwa_rtc.engines.asr.hotwords import Hotwords
from inzwa_rtc.engines.asr.prompt import PROMPT_TOKENS
from inzwa_rtc.engines.asr.stoppable import StoppableWorkers, Wanted
from inzwa_rtc.engines.asr.whisper.task import (
    Attempt,
    Task,
    WhisperOptions,
    frames_of,
    heard_word,
    recognized,
    task_of,
    token_limit,
)
from inzwa_rtc.engines.contracts import RecognizeRequest, TranscriptChunk
from inzwa_rtc.errors import EngineError

KNOWN = ["en", "sn", "no", "jw"]
SURE, UNSURE = -0.2, -2.0
LOOP = "and so on " * 40


def task(request: RecognizeRequest, known: list[str] = KNOWN, **options: Any) -> Task:
    chosen = WhisperOptions.model_validate(options)
    return task_of(request, chosen, Hotwords(chosen), known)


@pytest.mark.parametrize(
    ("asked", "told"),
    [(None, None), ("en", "en"), ("en-ZW", "en"), ("SN", "sn"), ("nb-NO", "no"), ("jv", "jw")],
)
def test_a_language_is_told_as_whisper_calls_it(asked: str | None, told: str | None) -> None:
    assert task(RecognizeRequest(asked)).language == told


@pytest.mark.parametrize("asked", ["nd", "", "-", "x" * 50])
def test_a_language_that_the_model_does_not_know_is_refused(asked: str) -> None:
    with pytest.raises(EngineError, match="does not know the language") as refused:
        task(RecognizeRequest(asked))
    assert refused.value.code == "unknown_language"


def test_a_model_of_english_only_hears_english_and_does_not_translate() -> None:
    assert task(RecognizeRequest(None), ["en"]).language == "en"
    with pytest.raises(EngineError, match="cannot translate"):
        task(RecognizeRequest("en", translate=True), ["en"])


def test_what_is_translated_is_in_english() -> None:
    assert Task("sn", translate=True).written("sn") == "en"
    assert Task(None).written("sn") == "sn"
    assert Task("jw").written("jw") == "jv"


def letters(text: str) -> int:
    return len(text)


def test_a_prompt_is_the_words_to_expect_then_what_was_said() -> None:
    assert Task("en", expected=("ZiG", "Kwame Nkrumah"), before="Hi.").prompt("go on", letters) == (
        "ZiG Kwame Nkrumah Hi. go on"
    )
    assert Task("en").prompt("", letters) == ""


@pytest.mark.parametrize("expected", [0, 5, 500])
@pytest.mark.parametrize("before", [0, 5, 500])
def test_a_prompt_never_has_more_tokens_than_the_model_takes(expected: int, before: int) -> None:
    words = tuple(f"e{number:03}" for number in range(expected))
    said = [f"s{number:03}" for number in range(before)]
    told = Task("en", expected=words, before=" ".join(said)).prompt("", letters).split()
    assert sum(letters(f" {word}") for word in told) <= PROMPT_TOKENS
    first, last = [w for w in told if w[0] == "e"], [w for w in told if w[0] == "s"]
    assert first == list(words[: len(first)])
    assert last == said[len(said) - len(last) :]
    if expected == before == 500:
        assert len(first) == len(last) + len(first) % 2 or abs(len(first) - len(last)) <= 1


def test_a_word_larger_than_the_room_is_left_out() -> None:
    assert Task("en", expected=("x" * 300,)).prompt("y" * 300, letters) == ""


@pytest.mark.parametrize(
    ("seconds", "window_s", "frames"),
    [(0, 5, 500), (2, 15, 1500), (6, 5, 700), (14.001, 15, 1502), (28, 15, 2900), (40, 5, 3000)],
)
def test_the_window_fits_the_audio_and_a_second_more(
    seconds: float, window_s: float, frames: int
) -> None:
    assert frames_of(int(seconds * 16_000), window_s) == frames


def test_the_room_for_the_text_grows_with_the_audio() -> None:
    assert [token_limit(16_000 * seconds) for seconds in (0, 1, 4, 28)] == [16, 36, 96, 220]


def test_a_transcript_has_numbers_that_go_into_json() -> None:
    assert Attempt("hello", "en", math.nan).decoded().confidence == 0.0
    assert Attempt("hello", "en", math.log(0.5)).decoded().confidence == pytest.approx(0.5)
    word = heard_word(" he llo", np.float64(-0.01), np.float64(0.52), math.nan)
    assert (word.text, word.start_ms, word.end_ms, word.confidence) == ("hello", 0, 520, 0.0)


def test_what_is_made_of_silence_is_no_text() -> None:
    assert Attempt("Thank you.", "en", UNSURE, no_speech=0.9).decoded().text == ""
    assert Attempt("Thank you.", "en", SURE, no_speech=0.9).decoded().text == "Thank you."
    assert Attempt("Thank you.", "en", UNSURE, no_speech=0.1).decoded().text == "Thank you."


def test_a_loop_is_no_text() -> None:
    assert Attempt(LOOP, "en", SURE, has_ended=False).decoded().text == ""
    assert Attempt(LOOP, "en", SURE).decoded().text == LOOP  # said so often, and then no more


class Model:
    """Writes the next of its answers, and remembers the windows."""

    def __init__(self, *answers: Attempt) -> None:
        self._answers = list(answers)
        self.windows: list[float] = []

    def attempt(self, stretch: Stretch, window_s: float, is_wanted: Wanted) -> Attempt:
        self.windows.append(window_s)
        return self._answers.pop(0)


async def final_of(model: Model, **options: Any) -> TranscriptChunk:
    async def audio() -> AsyncIterator[bytes]:
        yield np.full(16_000, 8000, np.int16).tobytes()

    workers = StoppableWorkers(1)
    chosen = WhisperOptions.model_validate({"partial_ms": 0, **options})
    stream: AsyncGenerator[TranscriptChunk, None] = recognized(
        audio(), model.attempt, workers, chosen
    )
    async with aclosing(stream):
        chunks = [chunk async for chunk in stream]
    workers.close()
    return chunks[-1]


async def test_an_answer_that_is_sure_is_believed() -> None:
    model = Model(Attempt("hello", "en", SURE))
    assert (await final_of(model)).text == "hello"
    assert model.windows == [15]


@pytest.mark.parametrize(
    "answer",
    [
        Attempt("hullo", "en", UNSURE),
        Attempt("hullo", "en", math.nan),
        Attempt(LOOP, "en", SURE, has_ended=False),
    ],
    ids=["unlikely", "not a number", "loop"],
)
async def test_a_doubtful_answer_is_asked_for_again_in_the_stock_window(answer: Attempt) -> None:
    model = Model(answer, Attempt("hello", "en", SURE))
    assert (await final_of(model)).text == "hello"
    assert model.windows == [15, 30]


async def test_a_second_answer_that_loops_is_not_preferred() -> None:
    model = Model(Attempt("hullo", "en", UNSURE), Attempt(LOOP, "en", SURE, has_ended=False))
    assert (await final_of(model)).text == "hullo"


async def test_a_loop_in_both_windows_is_no_text() -> None:
    loop = Attempt(LOOP, "en", SURE, has_ended=False)
    assert (await final_of(Model(loop, loop))).text == ""


@pytest.mark.parametrize("answer", [Attempt(), Attempt("Thank you.", "en", UNSURE, no_speech=0.9)])
async def test_silence_is_not_asked_for_again(answer: Attempt) -> None:
    model = Model(answer)
    assert (await final_of(model)).text == ""
    assert model.windows == [15]


async def test_the_stock_window_has_no_second_chance() -> None:
    model = Model(Attempt("hullo", "en", UNSURE))
    assert (await final_of(model, window_s=30)).text == "hullo"
    assert model.windows == [30]
