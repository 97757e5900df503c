"""Several takes of a clause, of which the one that is understood best is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import numpy as np
import structlog

from inzwa_rtc.engines import registry
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE, RecognizeRequest
from inzwa_rtc.engines.tts.apart.mouth import Samples
from inzwa_rtc.engines.tts.apart.recording import resampled
from inzwa_rtc.engines.tts.chatterbox.options import CheckOptions
from inzwa_rtc.engines.tts.chatterbox.scoring import word_error
from inzwa_rtc.errors import EngineError

_log = structlog.get_logger(__name__)

Take = Callable[[int], Samples]
"""Makes the take of this number (from 0); each number sounds different, and always the same."""
Score = Callable[[Samples], float | None]
"""How wrong a take is: 0 is perfect; None where that cannot be told."""

_PIECE = ASR_SAMPLE_RATE  # bytes: half a second


def best_take(make: Take, score: Score, count: int, good_enough: float) -> Samples:
    """The take with the lowest score, the first of equals. None is made after one that scores
    `good_enough` or less, nor after one whose score cannot be told."""
    best = make(0)
    lowest = score(best)
    for number in range(1, count):
        if lowest is None or lowest <= good_enough:
            break
        take = make(number)
        value = score(take)
        if value is None:
            break
        if value < lowest:
            best, lowest = take, value
    return best


class Judge:
    """A recogniser that is loaded in this process, and listens to takes in their thread."""

    def __init__(self, options: CheckOptions) -> None:
        """Load the recogniser. Raises what `registry.load` does."""
        self._has_failed = False
        self._recognizer: Any = registry.load(registry.find("asr", options.engine), options.options)

    def close(self) -> None:
        """Free the recogniser."""
        self._recognizer.close()

    def word_error(self, take: Samples, rate: int, text: str, language: str) -> float | None:
        """The word error rate of what is understood of a take; None where the recogniser fails,
        which is logged the first time. Blocks; has a loop of its own."""
        try:
            heard = asyncio.run(self._heard(take, rate, language))
        except EngineError as error:
            if not self._has_failed:
                _log.warning("tts.take_not_judged", code=error.code, reason=str(error))
            self._has_failed = True
            return None
        return word_error(text, heard)

    async def _heard(self, take: Samples, rate: int, language: str) -> str:
        sound = resampled(take, rate, ASR_SAMPLE_RATE)
        pcm = (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()

        async def audio() -> AsyncIterator[bytes]:
            for start in range(0, len(pcm), _PIECE):
                yield pcm[start : start + _PIECE]

        stream = self._recognizer.recognize(audio(), RecognizeRequest(language))
        async with aclosing(stream) as chunks:
            return " ".join([chunk.text async for chunk in chunks if chunk.is_final])
