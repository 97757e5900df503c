"""Frames that travel together sound as they do apart."""

from __future__ import annotations

import numpy as np
import pytest

from inzwa_rtc.audio.opus import OpusDecoder, OpusEncoder
from inzwa_rtc.audio.packing import can_join, joined

RATE = 24_000


def packets(count: int, bitrate: int) -> list[bytes]:
    times = np.arange(RATE // 50 * count) / RATE
    noise = np.random.default_rng(1).normal(0, 400, len(times))
    pcm = (6000 * np.sin(2 * np.pi * 300 * times) + noise).astype("<i2").tobytes()
    encoder = OpusEncoder(RATE, bitrate)
    size = RATE // 50 * 2
    return [encoder.encode(pcm[at : at + size]) for at in range(0, len(pcm), size)]


@pytest.mark.parametrize("bitrate", [8_000, 28_000, 128_000], ids=str)
@pytest.mark.parametrize("together", [1, 2, 3, 6])
def test_frames_sound_the_same_together_and_apart(bitrate: int, together: int) -> None:
    sent = packets(30, bitrate)
    apart, one = OpusDecoder(RATE), OpusDecoder(RATE)
    alike = [sent[0]]
    expected, came = b"", b""
    for packet in [*sent[1:], b""]:
        if len(alike) == together or not can_join(alike[0], packet):
            expected += b"".join(apart.decode(each) for each in alike)
            came += one.decode(joined(alike))
            alike = []
        alike.append(packet)
    assert came == expected
    assert len(came) == len(sent) * RATE // 50 * 2


def test_packets_that_are_coded_differently_stay_apart() -> None:
    silk, celt = bytes([0x48, 1, 2]), bytes([0xE8, 1, 2])
    assert not can_join(silk, celt)
    assert not can_join(silk, b"")
    assert not can_join(bytes([0x49, 1, 2, 3, 4]), bytes([0x49, 1, 2, 3, 4])), "two frames already"
    for wrong in ([silk, celt], [], [silk] * 7):
        with pytest.raises(ValueError, match="cannot stand in one"):
            joined(wrong)
