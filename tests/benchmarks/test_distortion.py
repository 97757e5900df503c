"""The distance of sounds is nothing for the same sound, and grows with what differs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.distortion import band_distance

RATE = 24_000


def tones(*hertz: float) -> NDArray[np.float64]:
    times = np.arange(RATE) / RATE
    sound: NDArray[np.float64] = np.zeros(RATE)
    for one in hertz:
        sound += 3000 * np.sin(2 * np.pi * one * times)
    return sound


def noise(level: float) -> NDArray[np.float64]:
    return level * np.random.default_rng(1).standard_normal(RATE)


def test_the_same_sound_has_no_distance() -> None:
    assert band_distance(tones(300), tones(300), RATE) == 0


def test_more_noise_is_further_away() -> None:
    voice = tones(200, 400, 600)
    near, far = (band_distance(voice, voice + noise(level), RATE) for level in (30, 300))
    assert 0 < near < far


def test_what_is_above_eight_kilohertz_counts() -> None:
    voice = tones(300, 10_000)
    assert band_distance(voice, tones(300), RATE) > 1


def test_pauses_do_not_count() -> None:
    voice = np.concatenate([tones(300), np.zeros(RATE)])
    heard = np.concatenate([tones(300), noise(3)])
    assert band_distance(voice, heard, RATE) < 0.5
