"""A voice detector serves one caller after another, and none at the same time."""

from __future__ import annotations

import random

import pytest

from inzwa_rtc.turntaking.vad import SileroVad
from signaling.detectors import Detectors


class Detector:
    """Keeps what it was fed since it was reset."""

    def __init__(self) -> None:
        self.fed = b""

    def feed(self, pcm: bytes) -> float:
        self.fed += pcm
        return 0.0

    def reset(self) -> None:
        self.fed = b""


def test_calls_at_the_same_time_have_each_their_own() -> None:
    detectors = Detectors(Detector)
    with detectors.lent() as first, detectors.lent() as second:
        assert first is not second


def test_an_ended_call_leaves_its_detector_to_the_next_which_finds_it_fresh() -> None:
    detectors = Detectors(Detector)
    used = []
    for _ in range(5):
        with pytest.raises(RuntimeError), detectors.lent() as detector:
            assert isinstance(detector, Detector) and detector.fed == b""
            detector.feed(b"\x01\x00")
            used.append(detector)
            raise RuntimeError
    assert len(set(map(id, used))) == 1


def test_silero_forgets_the_caller_before() -> None:
    noise = random.Random(7)
    frames = [noise.randbytes(640) for _ in range(100)]
    used, new = SileroVad(), SileroVad()
    for frame in reversed(frames[:31]):
        used.feed(frame)
    used.reset()
    assert [used.feed(frame) for frame in frames] == [new.feed(frame) for frame in frames]
