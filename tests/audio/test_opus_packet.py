"""What a packet tells of itself is what libopus finds in it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inzwa_rtc.audio.opus import OpusDecoder, OpusEncoder, library
from inzwa_rtc.audio.opus_packet import SHORTEST_TICKS, frame_ticks, packet_ticks


@given(st.binary(max_size=4))
def test_lengths_are_those_that_libopus_reads(packet: bytes) -> None:
    theirs = library().opus_packet_get_nb_samples(packet, len(packet), 48_000)
    assert packet_ticks(packet) == max(0, theirs)
    assert frame_ticks(packet) % SHORTEST_TICKS == 0


def test_a_packet_of_the_encoders_is_a_frame_long() -> None:
    packet = OpusEncoder(24_000, 28_000).encode(bytes(960))
    assert packet_ticks(packet) == frame_ticks(packet) == 960


@given(st.binary(max_size=20))
def test_whether_a_packet_has_fec_may_be_asked_of_anything(packet: bytes) -> None:
    assert OpusDecoder(16_000).has_fec(packet) in (True, False)
