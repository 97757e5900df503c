"""Streaming change of sample rate (libswresample through PyAV: at most 1 ms of lag)."""

from __future__ import annotations

import av
import numpy as np

from inzwa_rtc.audio.filters import FrameResampler


class Resampler:
    """Turns a stream of int16 LE mono at one rate into another, piece by piece."""

    def __init__(self, from_rate: int, to_rate: int) -> None:
        self._from_rate = from_rate
        self._same = from_rate == to_rate
        self._resampler = FrameResampler("s16", to_rate)

    def feed(self, pcm: bytes) -> bytes:
        """The output that is complete once `pcm` (any whole number of samples) is in."""
        if self._same or not pcm:
            return pcm
        frame = av.AudioFrame.from_ndarray(
            np.frombuffer(pcm, dtype="<i2").reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate = self._from_rate
        return self._join(self._resampler.resample(frame))

    def flush(self) -> bytes:
        """The last samples; the stream is over after this."""
        return b"" if self._same else self._join(self._resampler.resample(None))

    @staticmethod
    def _join(frames: list[av.AudioFrame]) -> bytes:
        return b"".join(frame.to_ndarray().astype("<i2", copy=False).tobytes() for frame in frames)
