"""The take that is understood best is the one that is spoken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from inzwa_rtc.engines import registry
from inzwa_rtc.engines.contracts import RecognizeRequest, TranscriptChunk
from inzwa_rtc.engines.tts.apart.mouth import Samples
from inzwa_rtc.engines.tts.chatterbox.options import ChatterboxOptions, CheckOptions
from inzwa_rtc.engines.tts.chatterbox.scoring import word_error
from inzwa_rtc.engines.tts.chatterbox.takes import Judge, best_take
from inzwa_rtc.errors import EngineError
from tests.engines.apart.sounds import voiced


@pytest.mark.parametrize(
    ("text", "heard", "wrong"),
    [
        ("The river listens.", "the river listens", 0),
        ("The river listens.", "The river", 1 / 3),
        ("The river listens.", "The river it listens", 1 / 3),
        ("The river listens.", "A river listens", 1 / 3),
        ("The river listens.", "", 1),
        ("One", "one two three", 2),
        ("It’s a café", "it's a cafe\u0301", 0),
        ("Ndatenda zvikuru", "NDATENDA, ZVIKURU!", 0),
        ("...", "", 0),
        ("...", "hello", 1),
        ("wait_for it", "wait for it", 0),
        ("Straße", "strasse", 0),
        ("one two three", "three two one", 2 / 3),
    ],
)
def test_word_errors_are_counted_without_case_and_punctuation(
    text: str, heard: str, wrong: float
) -> None:
    assert word_error(text, heard) == pytest.approx(wrong)


def take(number: int) -> Samples:
    return np.full(4, number, np.float32)


@pytest.mark.parametrize(
    ("scores", "good_enough", "kept", "made"),  # None: it could not be judged
    [
        ([0.5, 0.2, 0.3], 0.0, 1, 3),
        ([0.5, 0.0, 0.1], 0.0, 1, 2),
        ([0.0, 0.5, 0.5], 0.0, 0, 1),
        ([0.3, 0.3, 0.3], 0.0, 0, 3),
        ([0.4, 0.3, 0.0], 0.3, 1, 2),
        ([2.0, 1.5, 1.0], 0.0, 2, 3),
        ([None, 0.0, 0.0], 0.0, 0, 1),
        ([0.5, None, 0.0], 0.0, 0, 2),
        ([0.5, 0.3, None], 0.0, 1, 3),
    ],
)
def test_the_best_take_is_kept_and_none_is_made_after_a_good_one(
    scores: list[float | None], good_enough: float, kept: int, made: int
) -> None:
    asked: list[int] = []

    def make(number: int) -> Samples:
        asked.append(number)
        return take(number)

    best = best_take(make, lambda sound: scores[int(sound[0])], len(scores), good_enough)
    assert int(best[0]) == kept
    assert asked == list(range(made))


def test_several_takes_need_a_recogniser() -> None:
    with pytest.raises(ValidationError, match="recogniser"):
        ChatterboxOptions.model_validate({"model": "x", "candidates": 2})
    check = {"engine": "faster-whisper", "model": "base", "beam_size": 5}
    options = ChatterboxOptions.model_validate({"model": "x", "candidates": 2, "check": check})
    assert options.check is not None
    assert options.check.options == {"model": "base", "beam_size": 5}


class Ear:
    """A recogniser that has been fed so many bytes."""

    fed = 0
    closed = False

    async def recognize(
        self, audio: AsyncIterator[bytes], request: RecognizeRequest
    ) -> AsyncGenerator[TranscriptChunk, None]:
        async for piece in audio:
            assert len(piece) % 2 == 0
            self.fed += len(piece)
        yield TranscriptChunk("the", 0, 0, False, 1, "en")
        yield TranscriptChunk(f"the river {request.language}", 0, 0, True, 1, "en")

    def close(self) -> None:
        self.closed = True


async def test_the_recogniser_hears_the_whole_take_at_its_rate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ear = Ear()
    asked: list[Any] = []

    def load(spec: Any, options: Any) -> Ear:
        asked.append((spec.kind, spec.name, options))
        return ear

    monkeypatch.setattr(registry, "load", load)
    judge = Judge(CheckOptions.model_validate({"engine": "pocketsphinx", "threshold": 0.0}))
    assert asked == [("asr", "pocketsphinx", {"threshold": 0.0})]
    sound = voiced(2).astype(np.float32)
    # In a thread without a loop, as the engine does.
    wrong = await asyncio.to_thread(judge.word_error, sound, 24_000, "The river listens", "en")
    assert wrong == pytest.approx(1 / 3)
    assert ear.fed == pytest.approx(2 * 2 * 16_000, abs=400)
    judge.close()
    assert ear.closed


async def test_a_take_that_the_recogniser_fails_on_is_not_lost_and_that_is_logged_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Deaf(Ear):
        async def recognize(
            self, audio: AsyncIterator[bytes], request: RecognizeRequest
        ) -> AsyncGenerator[TranscriptChunk, None]:
            raise EngineError("It is deaf.", code="too_busy")
            yield  # it is a generator

    monkeypatch.setattr(registry, "load", lambda _spec, _options: Deaf())
    judge = Judge(CheckOptions.model_validate({"engine": "pocketsphinx"}))
    sound = voiced(2).astype(np.float32)

    def spoken() -> Samples:
        return best_take(take, lambda _: judge.word_error(sound, 24_000, "A word", "en"), 3, 0)

    with capture_logs() as lines:
        kept = [int((await asyncio.to_thread(spoken))[0]) for _ in range(2)]
    assert kept == [0, 0]
    assert [line["event"] for line in lines] == ["tts.take_not_judged"]
    assert "word" not in repr(lines)


async def test_a_real_recogniser_of_the_embedded_ones_judges() -> None:
    judge = Judge(CheckOptions.model_validate({"engine": "pocketsphinx"}))
    try:
        quiet = np.zeros(24_000, np.float32)
        assert await asyncio.to_thread(judge.word_error, quiet, 24_000, "hello", "en") == 1
    finally:
        judge.close()
