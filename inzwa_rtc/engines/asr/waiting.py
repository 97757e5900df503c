"""The audio of one utterance, waiting to be decoded as a whole. Sans I/O."""

from __future__ import annotations

from heapq import heappush, heappushpop
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE

Audio: TypeAlias = NDArray[np.float32]
"""Mono at 16 kHz, -1 to 1."""

_BLOCK = ASR_SAMPLE_RATE // 50  # 20 ms
_CUT = 10  # blocks: longer than the closure of a stop consonant within a word
_QUIET = 10 ** (-30 / 20)  # of the voice's level: below it is no voice that matters
_FADE = 10 ** (-10 / 20 / 50)  # of that level with each block, 10 dB a second: a bang is forgotten
_LOUD = 25  # blocks, half a second: as loud as so many were, the voice is not forgotten


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
        self._level = 0.0  # of the voice
        self._loudest: list[float] = []  # levels, a heap of `_LOUD`

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

    def quietest(self, start: int, end: int) -> int:
        """The middle of the quietest 200 ms between two samples held, the last of several."""
        levels = _levels(self.held()[start - self.start : end - self.start])
        if len(levels) < _CUT:
            return end
        loudest = sliding_window_view(levels, _CUT).max(axis=1)
        first = len(loudest) - 1 - int(np.argmin(loudest[::-1]))
        return start + (first + _CUT // 2) * _BLOCK

    def drop_before(self, sample: int) -> None:
        """Forget what lies before this sample of the utterance."""
        count = min(max(sample - self.start, 0), self.end - self.start)
        self._pieces = [self.held()[count:].copy()]
        self.start += count

    def _measure(self, samples: Audio) -> None:
        rest = np.concatenate([self._block_rest, samples])
        levels = _levels(rest)
        self._block_rest = rest[len(levels) * _BLOCK :]
        first = self.end - len(rest)
        for number, level in enumerate(levels.tolist()):
            if level > self._voice_level(level) * _QUIET:
                self.voice_end = first + (number + 1) * _BLOCK

    def _voice_level(self, level: float) -> float:
        """The level of the voice, a block of this level being the newest.

        The loudest block's, but less as time passes, so that words after a bang are not taken
        for silence; never so little that in a long pause noise would be taken for a voice.
        """
        lasting = 0.0
        if len(self._loudest) < _LOUD:
            heappush(self._loudest, level)
        else:
            heappushpop(self._loudest, level)
            lasting = self._loudest[0]
        self._level = max(level, lasting, self._level * _FADE)
        return self._level


def _levels(samples: Audio) -> Audio:
    """Root mean square of each whole block."""
    count = len(samples) // _BLOCK
    blocks = samples[: count * _BLOCK].reshape(count, _BLOCK)
    levels: Audio = np.sqrt(np.mean(np.square(blocks), axis=1))
    return levels
