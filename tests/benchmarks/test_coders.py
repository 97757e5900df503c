"""Ways to encode do what they say, and losses are heard as a browser would play them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.coders import (
    AUDIO,
    LOW_DELAY,
    NARROW,
    RATE,
    WIDE,
    Coder,
    Coding,
    frames,
    heard,
    mode_of,
)

SILK = Coding("silk", bandwidth=WIDE)
CELT = Coding("celt", application=LOW_DELAY)


def vowel(seconds: float) -> bytes:
    """Harmonics whose pitch and loudness move, as a voice's do."""
    times = np.arange(int(RATE * seconds)) / RATE
    turns = 2 * np.pi * np.cumsum(120 + 60 * np.sin(2 * np.pi * 3 * times)) / RATE
    sound = np.sum([np.sin(number * turns) / number for number in range(1, 20)], axis=0)
    return bytes((4000 * sound * (1.2 + np.sin(2 * np.pi * 4 * times))).astype("<i2").tobytes())


def encoded(coding: Coding, pcm: bytes) -> list[bytes]:
    coder = Coder(coding)
    return [coder.encode(frame) for frame in frames(pcm)]


def samples(pcm: bytes) -> NDArray[np.float64]:
    return np.frombuffer(pcm, "<i2").astype(float)


def harm(coding: Coding, lost: set[int]) -> float:
    """How far the sound is from what is heard without any loss."""
    packets = encoded(coding, vowel(1))
    return float(np.std(samples(heard(packets, lost)) - samples(heard(packets, ()))))


@pytest.mark.parametrize(
    ("coding", "mode"),
    [
        (SILK, "silk"),
        (Coding("hybrid"), "hybrid"),
        (CELT, "celt"),
        (Coding("audio", application=AUDIO, is_voice=False), "celt"),
        (Coding("forced", mode="celt"), "celt"),
    ],
)
def test_a_way_has_the_mode_that_it_is_named_for(coding: Coding, mode: str) -> None:
    assert {mode_of(packet) for packet in encoded(coding, vowel(1))} == {mode}


def test_every_frame_is_heard_lost_or_not() -> None:
    packets = encoded(SILK, vowel(1))
    assert len(heard(packets, {3, 4, 5, 49})) == len(vowel(1))


def test_a_packet_that_is_lost_is_repaired_from_the_one_behind_it() -> None:
    without = Coding("no FEC", bandwidth=WIDE, loss_percent=0)
    single = set(range(5, 45, 4))
    assert harm(SILK, single) < 0.7 * harm(without, single)


def test_nothing_lost_is_no_harm() -> None:
    assert harm(CELT, set()) == 0


def test_what_was_encoded_before_is_heard_as_that_left_it() -> None:
    """Sound above 4 kHz is gone for good."""
    narrow = Coding("narrow", bandwidth=NARROW)
    again = replace(CELT, follows=narrow)
    assert {mode_of(packet) for packet in encoded(again, vowel(1))} == {"celt"}
    assert Coder(again).lookahead == Coder(CELT).lookahead + Coder(narrow).lookahead

    def above_4_khz(coding: Coding) -> float:
        spectrum = np.abs(np.fft.rfft(samples(heard(encoded(coding, hiss(1)), ()))))
        return float(np.mean(spectrum[4500:8000] ** 2))

    assert above_4_khz(again) < 0.05 * above_4_khz(CELT)


def hiss(seconds: float) -> bytes:
    noise = np.random.default_rng(7).normal(0, 3000, int(RATE * seconds))
    return bytes(noise.astype("<i2").tobytes())
