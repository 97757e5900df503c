"""RTP packets are read as RFC 3550 has them, and nothing that arrives can do harm."""

from __future__ import annotations

import struct

import pytest
from aiortc.rtp import RtpPacket as Other
from hypothesis import given
from hypothesis import strategies as st

from inzwa_rtc.transport.rtp import RtpPacket, parse, sequence_ahead, timestamp_ahead

LEVEL_ID = 3
PAYLOAD = b"\x48sound"
ONE_BYTE, TWO_BYTE = 0xBEDE, 0x1000


def packed(
    payload: bytes = PAYLOAD,
    flags: int = 0,
    extension: bytes | None = None,
    form: int = ONE_BYTE,
    sources: int = 0,
) -> bytes:
    head = struct.pack("!BBHII", 0x80 | flags | sources, 0x80 | 111, 65535, 2**32 - 1, 77)
    head += bytes(4 * sources)
    if extension is not None:
        extension += bytes(-len(extension) % 4)
        head = bytes([head[0] | 0x10]) + head[1:]
        head += struct.pack("!HH", form, len(extension) // 4) + extension
    return head + payload


def test_a_packet_is_read_whole() -> None:
    assert parse(packed(), None) == RtpPacket(65535, 2**32 - 1, PAYLOAD, 77, None, 111)


def test_contributing_sources_are_passed_over() -> None:
    packet = parse(packed(sources=15), None)
    assert packet is not None and packet.payload == PAYLOAD


def test_padding_is_no_sound() -> None:
    packet = parse(packed(flags=0x20) + b"\0\0\3", None)
    assert packet is not None and packet.payload == PAYLOAD


def test_a_packet_may_be_empty() -> None:
    packet = parse(packed(b""), None)
    assert packet is not None and packet.payload == b""


@pytest.mark.parametrize(
    ("form", "elements"),
    [
        (ONE_BYTE, b"\x30\x2a"),
        (ONE_BYTE, b"\x11\x00\x00\x00\x30\xaa"),  # behind another, padded; voice is told too
        (TWO_BYTE, b"\x03\x01\x2a"),
        (TWO_BYTE + 5, b"\x09\x00\x00\x03\x01\xaa"),
    ],
)
def test_the_audio_level_is_read_from_both_forms_of_header_extension(
    form: int, elements: bytes
) -> None:
    packet = parse(packed(extension=elements, form=form), LEVEL_ID)
    assert packet is not None and (packet.level, packet.payload) == (42, PAYLOAD)


@pytest.mark.parametrize(
    ("form", "elements"),
    [
        (ONE_BYTE, b""),
        (ONE_BYTE, b"\x10\x2a"),  # another element
        (ONE_BYTE, b"\xf0\x00\x30\x2a"),  # behind the identifier that stops
        (ONE_BYTE, b"\x00\x00\x00\x30"),  # cut short
        (TWO_BYTE, b"\x03\x00"),
        (TWO_BYTE, b"\x00\x00\x00\x03"),
        (0x1234, b"\x30\x2a"),  # another form
    ],
)
def test_a_packet_that_tells_no_level_is_heard_all_the_same(form: int, elements: bytes) -> None:
    packet = parse(packed(extension=elements, form=form), LEVEL_ID)
    assert packet is not None and (packet.level, packet.payload) == (None, PAYLOAD)


def test_a_level_that_was_not_agreed_on_is_not_looked_for() -> None:
    packet = parse(packed(extension=b"\x30\x2a"), None)
    assert packet is not None and packet.level is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        packed()[:11],
        b"\x40" + packed()[1:],  # version 1
        packed(sources=15)[:20],
        packed(b"", extension=b"")[:14],
        packed(extension=b"\x30\x2a\0\0")[:18],
        packed(flags=0x20)[:-1] + b"\0",  # padding of no length
        packed(flags=0x20)[:-1] + b"\xff",  # padding longer than the packet
    ],
)
def test_what_is_cut_short_or_no_rtp_is_refused(data: bytes) -> None:
    assert parse(data, LEVEL_ID) is None


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    packet = parse(data, LEVEL_ID)
    if packet is not None:
        assert packet.payload in data
        assert packet.level is None or 0 <= packet.level <= 127


@given(
    st.binary(max_size=60),
    st.integers(0, 65535),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 20),
    st.integers(0, 15),
)
def test_packets_of_another_implementation_are_read_back(
    payload: bytes, sequence: int, timestamp: int, ssrc: int, padding: int, sources: int
) -> None:
    packet = Other(payload_type=96, sequence_number=sequence, timestamp=timestamp, ssrc=ssrc)
    packet.payload, packet.padding_size, packet.csrc = payload, padding, [1] * sources
    expected = RtpPacket(sequence, timestamp, payload, ssrc, None, 96)
    assert parse(packet.serialize(), LEVEL_ID) == expected


@given(st.integers(0, 65535), st.integers(-32768, 32767))
def test_sequence_numbers_wrap_around(of: int, ahead: int) -> None:
    assert sequence_ahead((of + ahead) % 65536, of) == ahead


@given(st.integers(0, 2**32 - 1), st.integers(-(2**31), 2**31 - 1))
def test_timestamps_wrap_around(of: int, ahead: int) -> None:
    assert timestamp_ahead((of + ahead) % 2**32, of) == ahead
