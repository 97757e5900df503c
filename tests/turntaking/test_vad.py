"""Silero hears speech in a person's recording and none in noise."""

from __future__ import annotations

import random
import wave
from pathlib import Path

import pytest

from inzwa_rtc.audio.resample import Resampler
from inzwa_rtc.turntaking.vad import SileroVad

RECORDING = Path("/usr/share/sounds/alsa/Front_Center.wav")  # Debian's alsa-utils


def probabilities(pcm: bytes) -> list[float]:
    vad = SileroVad()
    return [vad.feed(pcm[i : i + 640]) for i in range(0, len(pcm) - 639, 640)]


def test_a_person_is_heard() -> None:
    assert RECORDING.exists(), "install alsa-utils (scripts/test does)"
    with wave.open(str(RECORDING)) as file:
        pcm = Resampler(file.getframerate(), 16_000).feed(file.readframes(file.getnframes()))
    loud = [p for p in probabilities(pcm) if p > 0.5]
    assert len(loud) >= 20  # 0.4 s


@pytest.mark.parametrize("level", [0, 300])
def test_silence_and_noise_are_not(level: int) -> None:
    noise = random.Random(1)
    samples = [noise.randint(-level, level) for _ in range(16_000 * 2)]
    pcm = b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples)
    assert max(probabilities(pcm)) < 0.5
