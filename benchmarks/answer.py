"""What stock aiortc's servers answer with, at aiortc's own pace."""

from __future__ import annotations

import asyncio
import fractions
from typing import Any

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

RATE = 48_000
SAMPLES = RATE // 50


class Answer(MediaStreamTrack):
    """Silence, or a tone for as many frames as are left. `tone` is int16, [frames, `SAMPLES`]."""

    kind = "audio"

    def __init__(self, tone: np.ndarray[Any, np.dtype[np.int16]]) -> None:
        super().__init__()
        self._tone = tone
        self.frames_left = 0
        self.is_held = False
        self._began: float | None = None
        self._sent = 0

    async def recv(self) -> av.AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        loop = asyncio.get_running_loop()
        self._began = loop.time() if self._began is None else self._began
        await asyncio.sleep(max(0.0, self._began + self._sent * 0.02 - loop.time()))
        samples = np.zeros(SAMPLES, np.int16)
        if self.frames_left and not self.is_held:
            self.frames_left -= 1
            samples = self._tone[self.frames_left % len(self._tone)]
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        frame.pts = self._sent * SAMPLES
        frame.time_base = fractions.Fraction(1, RATE)
        self._sent += 1
        return frame
