"""Where syllables begin: wherever the voice grows louder again. Sans I/O."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE

_BLOCK_MS = 20
_BLOCK_BYTES = 2 * ASR_SAMPLE_RATE * _BLOCK_MS // 1000
_QUIET = 200.0  # of 32768: below this level there is no voice
_FADES = 0.98  # by block: what is loud is so compared to the last second or two
_FALLS = 0.5  # of `rise`: the voice has to fall to this before it can rise again


@dataclass(frozen=True, slots=True)
class Syllable:
    """`loudness` is 0 to 1, compared to what was heard around it."""

    start_ms: int
    end_ms: int
    loudness: float


class Rhythm:
    """Takes the sound of one utterance, piece by piece."""

    def __init__(self, rise: float) -> None:
        self.syllables: list[Syllable] = []
        self._rise = rise
        self._rest = b""
        self._now_ms = 0
        self._loudest = 0.0
        self._is_risen = False

    def feed(self, pcm: bytes) -> bool:
        """Take int16 LE mono 16 kHz audio; whether a syllable began in it."""
        known = len(self.syllables)
        pcm = self._rest + pcm
        whole = len(pcm) // _BLOCK_BYTES * _BLOCK_BYTES
        self._rest = pcm[whole:]
        blocks = np.frombuffer(pcm[:whole], "<i2").reshape(-1, _BLOCK_BYTES // 2)
        for level in np.sqrt(np.mean(blocks.astype(np.float64) ** 2, axis=1)).tolist():
            self._take(level)
        return len(self.syllables) > known

    def _take(self, level: float) -> None:
        self._loudest = max(level, self._loudest * _FADES)
        share = level / self._loudest if level > _QUIET else 0.0
        if not self._is_risen and share >= self._rise:
            self._is_risen = True
            end_ms = self._now_ms + _BLOCK_MS
            self.syllables.append(Syllable(self._now_ms, end_ms, share))
        elif share < self._rise * _FALLS:
            self._is_risen = False
        self._now_ms += _BLOCK_MS
