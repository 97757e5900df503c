"""Voice detectors for all calls whose judgement, or whose time, a test decides."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from inzwa_rtc.engines.contracts import Microphone
from inzwa_rtc.turntaking.silero import Rows, Windows
from inzwa_rtc.turntaking.weights import Floats
from tests.support.engines import LoudIsSpeech

TICK_S = 0.02
FRAMES_AT_ONCE = 8


class Steered:
    """Loud frames are speech. Its time passes as quickly as frames come."""

    @contextmanager
    def listening(self, microphone: Microphone) -> Iterator[None]:
        task = asyncio.create_task(_listen(microphone))
        try:
            yield
        finally:
            task.cancel()


async def _listen(microphone: Microphone) -> None:
    detector, now = LoudIsSpeech(), 0.0
    while True:
        now += TICK_S
        frames = microphone.take(FRAMES_AT_ONCE, now)
        for pcm in frames:
            microphone.give(pcm, detector.feed(pcm))
        await asyncio.sleep(0 if frames else 0.001)


class LoudNetwork:
    """A network that calls windows with any sound in them speech, and notes which rows it was
    asked about together."""

    def __init__(self) -> None:
        self.windows = self.silent_windows = 0
        self.passes: list[list[int]] = []
        self.open: set[int] = set()
        self.failure: Exception | None = None

    def begin(self) -> int:
        row = next(row for row in range(1000) if row not in self.open)
        self.open.add(row)
        return row

    def end(self, row: int) -> None:
        self.open.remove(row)

    def probabilities(self, windows: Windows, rows: Rows) -> Floats:
        assert windows.shape == (len(rows), 512)
        if self.failure is not None:
            raise self.failure
        self.windows += len(rows)
        self.passes.append(rows.tolist())
        return np.where(windows.any(axis=1), 0.9, 0.05).astype(np.float32)
