"""Opus packets become an Ogg file that players take."""

from __future__ import annotations

import io
import re
from itertools import pairwise

import av
import numpy as np
import pytest

from inzwa_rtc.audio.container import encoder
from inzwa_rtc.audio.ogg import OggOpus, _checksum, ogg_opus
from inzwa_rtc.audio.opus import OpusEncoder

RATE = 24_000
FRAME = RATE // 50


def packets(count: int) -> tuple[list[bytes], OpusEncoder]:
    making = OpusEncoder(RATE, 28_000)
    time = np.arange(count * FRAME)
    sound = (np.sin(time * 440 * 2 * np.pi / RATE) * 8_000).astype("<i2").tobytes()
    size = 2 * FRAME
    return [making.encode(sound[at : at + size]) for at in range(0, len(sound), size)], making


@pytest.mark.parametrize("count", [1, 50, 51, 500])
def test_a_player_hears_all_but_what_the_encoder_put_before(count: int) -> None:
    frames, making = packets(count)
    pre_skip = making.lookahead * 2
    with av.open(io.BytesIO(ogg_opus(frames, pre_skip, RATE)), "r") as file:
        assert file.format.name == "ogg"
        heard = np.concatenate([one.to_ndarray()[0] for one in file.decode(audio=0)])
    assert len(heard) == count * 960 - pre_skip


def test_checksums_are_those_of_another_writer() -> None:
    making = encoder("opus", RATE)
    file = making.feed(bytes(RATE)) + making.finish()
    starts = [one.start() for one in re.finditer(b"OggS", file)] + [len(file)]
    assert len(starts) > 3
    for start, end in pairwise(starts):
        page = bytearray(file[start:end])
        told = int.from_bytes(page[22:26], "little")
        page[22:26] = bytes(4)
        assert _checksum(bytes(page)) == told


def test_long_packets_are_laced() -> None:
    long = bytes([0xF8]) + bytes(509)
    with av.open(io.BytesIO(ogg_opus([long, long[:255], long[:300]], 0, RATE)), "r") as file:
        sizes = [packet.size for packet in file.demux(audio=0) if packet.size]
    assert sizes == [510, 255, 300]


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000])
@pytest.mark.parametrize("seconds", [0.02, 0.31, 2.0])
def test_speech_becomes_a_file_of_its_own_length(rate: int, seconds: float) -> None:
    time = np.arange(int(rate * seconds))
    sound = (np.sin(time * 440 * 2 * np.pi / rate) * 8_000).astype("<i2").tobytes()
    making = OggOpus(rate)
    pieces = [making.feed(sound[at : at + 3_000]) for at in range(0, len(sound), 3_000)]
    with av.open(io.BytesIO(b"".join(pieces) + making.finish()), "r") as file:
        heard = np.concatenate([one.to_ndarray()[0] for one in file.decode(audio=0)])
    assert len(heard) == pytest.approx(48_000 * seconds, abs=60)
    if seconds > 1:
        assert 0.1 < np.abs(heard[4_800:-4_800]).max() < 0.5


def test_sound_leaves_after_less_than_a_tenth_of_a_second() -> None:
    making = OggOpus(RATE)
    assert making.feed(bytes(2 * RATE // 10)).count(b"OggS") == 3
