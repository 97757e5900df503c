"""What a packet tells of itself is what libopus finds in it."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inzwa_rtc.audio.opus import OpusDecoder, OpusEncoder, library
from inzwa_rtc.audio.opus_packet import SHORTEST_TICKS, frame_ticks, may_be_voice, packet_ticks


@given(st.binary(max_size=4))
def test_lengths_are_those_that_libopus_reads(packet: bytes) -> None:
    theirs = library().opus_packet_get_nb_samples(packet, len(packet), 48_000)
    assert packet_ticks(packet) == max(0, theirs)
    assert frame_ticks(packet) % SHORTEST_TICKS == 0


def test_a_packet_of_the_encoders_is_a_frame_long() -> None:
    packet = OpusEncoder(24_000, 28_000, mode="voice").encode(bytes(960))
    assert packet_ticks(packet) == frame_ticks(packet) == 960


@given(st.binary(max_size=20))
def test_whether_a_packet_has_fec_may_be_asked_of_anything(packet: bytes) -> None:
    assert OpusDecoder(16_000).has_fec(packet) in (True, False)


def encoded(sound: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[bytes]:
    """By an encoder that sends little while nobody speaks."""
    encoder = OpusEncoder(24_000, 28_000, mode="voice")
    set_dtx = 4016
    assert library().opus_encoder_ctl(encoder._state, set_dtx, ctypes.c_int(1)) == 0
    pcm = sound.astype("<i2").tobytes()
    return [encoder.encode(pcm[at : at + 960]) for at in range(0, len(pcm), 960)]


def test_voice_is_told_from_the_noise_of_a_quiet_room() -> None:
    times = np.arange(48_000) / 24_000
    phase = 2 * np.pi * (140 * times + 60 * times**2)
    voice = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 12))
    noise = np.random.default_rng(1).normal(0, 60, 96_000)
    assert all(may_be_voice(packet) for packet in encoded(np.asarray(voice) * 5000))
    assert sum(may_be_voice(packet) for packet in encoded(noise)) < 20  # of 200


@given(st.binary(max_size=4))
def test_anything_may_be_asked_whether_it_is_voice(packet: bytes) -> None:
    assert may_be_voice(packet) in (True, False)


def test_more_than_the_decoder_has_room_for_is_refused() -> None:
    with pytest.raises(ValueError, match="1920 samples"):
        OpusDecoder(16_000).conceal(1921)
