"""The audio of one utterance, waiting to be decoded as a whole. Sans I/O."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE

Audio: TypeAlias = NDArray[np.float32]
"""Mono at 16 kHz, -1 to 1."""

_BLOCK = ASR_SAMPLE_RATE // 50  # 20 ms
_QUIET = 10 ** (-30 / 20)  # of the loudest block: below it is no voice that matters


class WaitingAudio:
    """Grows at its end, and may be cut at its start. Positions count samples of the utterance."""

    def __init__(self) -> None:
        self.start = 0
        """The first sample still held."""
        self.end = 0
        """One after the last sample fed."""
        self.voice_end = 0
        """One after the last block that is not quiet."""
        self._pieces: list[Audio] = []
        self._odd = b""
        self._block_rest = np.zeros(0, np.float32)
        self._loudest = 0.0

    def feed(self, pcm: bytes) -> None:
        """Append int16 LE mono 16 kHz audio."""
        pcm = self._odd + pcm
        whole = len(pcm) & ~1
        self._odd = pcm[whole:]
        samples = np.frombuffer(pcm[:whole], np.int16).astype(np.float32) / np.float32(32768)
        if samples.size:
            self._pieces.append(samples)
            self.end += samples.size
            self._measure(samples)

    def held(self) -> Audio:
        """All audio from `start` to `end`."""
        if len(self._pieces) != 1:
            self._pieces = [np.concatenate([np.zeros(0, np.float32), *self._pieces])]
        return self._pieces[0]

    def drop_before(self, sample: int) -> None:
        """Forget what lies before this sample of the utterance."""
        count = min(max(sample - self.start, 0), self.end - self.start)
        self._pieces = [self.held()[count:].copy()]
        self.start += count

    def _measure(self, samples: Audio) -> None:
        rest = np.concatenate([self._block_rest, samples])
        count = len(rest) // _BLOCK
        blocks = rest[: count * _BLOCK].reshape(count, _BLOCK)
        self._block_rest = rest[count * _BLOCK :]
        first = self.end - len(rest)
        levels = np.sqrt(np.mean(np.square(blocks), axis=1))
        for number, level in enumerate(levels.tolist()):
            self._loudest = max(self._loudest, level)
            if level > self._loudest * _QUIET:
                self.voice_end = first + (number + 1) * _BLOCK
