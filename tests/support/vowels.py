"""A sound like syllables, the same wherever it is made: sines alone, no chance."""

from __future__ import annotations

import numpy as np

from tests.support.voice import Samples

RATE = 16_000
_FORMANTS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480))  # Hz
_WIDTH = 90.0  # Hz
_ON_S, _OFF_S = 0.3, 0.25


def syllables(seconds: float, pitch: float = 140.0, level: float = 4000.0) -> Samples:
    """A vowel after another, each of which falls in pitch, with a hum in between; int16."""
    times = np.arange(round(seconds * RATE)) / RATE
    number = (times / (_ON_S + _OFF_S)).astype(int)
    within = times - number * (_ON_S + _OFF_S)
    phase = 2 * np.pi * np.cumsum(pitch * (1.15 - 0.5 * within) * (1 + 0.05 * (number % 3))) / RATE
    envelope = np.sqrt(np.sin(np.pi * np.minimum(within / _ON_S, 1)).clip(0))
    sound = np.zeros_like(times)
    for harmonic in range(1, 30):
        at = harmonic * pitch
        for vowel, formants in enumerate(_FORMANTS):
            near = sum(1 / (1 + ((at - formant) / _WIDTH) ** 2) for formant in formants)
            sound += (number % len(_FORMANTS) == vowel) * near * np.sin(harmonic * phase)
    hum = 60 * np.sin(2 * np.pi * 50 * times)
    samples: Samples = np.rint(sound * envelope * level + hum).clip(-32768, 32767).astype(np.int16)
    return samples
