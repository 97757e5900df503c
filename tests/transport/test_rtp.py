"""RTP packets are read as RFC 3550 has them, and nothing that arrives can do harm."""

from __future__ import annotations

import struct

import pytest
from aiortc.rtp import RtpPacket as Other
from hypothesis import given
from hypothesis import strategies as st

from inzwa_rtc.transport.rtp import (
    RtpPacket,
    is_told_silent,
    parse,
    sequence_ahead,
    timestamp_ahead,
)

PAYLOAD = b"\x48sound"


def packed(
    payload: bytes = PAYLOAD,
    flags: int = 0,
    extension: bytes | None = None,
    form: int = 0xBEDE,
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
    assert parse(packed()) == RtpPacket(65535, 2**32 - 1, PAYLOAD, 77, 111)


def test_contributing_sources_are_passed_over() -> None:
    packet = parse(packed(sources=15))
    assert packet is not None and packet.payload == PAYLOAD


def test_padding_is_no_sound() -> None:
    packet = parse(packed(flags=0x20) + b"\0\0\3")
    assert packet is not None and packet.payload == PAYLOAD


def test_a_packet_may_be_empty() -> None:
    packet = parse(packed(b""))
    assert packet is not None and packet.payload == b""


@pytest.mark.parametrize(
    "elements",
    [
        b"\x30\x7f",
        b"\x30\x48",  # 72
        b"\x30\xff",  # a voice is told as well, as some senders do
        b"\x11\x00\x00\x00\x30\x7f",  # behind another, and padding
    ],
)
@pytest.mark.parametrize("sources", [0, 2])
def test_a_packet_may_tell_that_it_is_silent(elements: bytes, sources: int) -> None:
    assert is_told_silent(packed(extension=elements, sources=sources), 3)


@pytest.mark.parametrize(
    ("form", "elements"),
    [
        (0xBEDE, b"\x30\x47"),  # 71: about as loud as what is taken for a sound
        (0xBEDE, b"\x30\x00"),
        (0xBEDE, b""),
        (0xBEDE, b"\x10\x7f"),  # another element
        (0xBEDE, b"\x00\x00\x00\x30"),  # cut short
        (0x1000, b"\x03\x01\x7f"),
        (0x1234, b"\x30\x7f"),
    ],
)
def test_a_packet_that_does_not_tell_so_is_none_of_them(form: int, elements: bytes) -> None:
    assert not is_told_silent(packed(extension=elements, form=form), 3)


@given(data=st.binary(max_size=60))
def test_whatever_comes_may_be_asked(data: bytes) -> None:
    assert is_told_silent(data, 3) in (True, False)
    assert not is_told_silent(packed(), 3)


@pytest.mark.parametrize("form", [0xBEDE, 0x1000, 0x1234])  # RFC 8285's two, and another
@pytest.mark.parametrize("elements", [b"", b"\x30\x2a", b"\xf0\x00\x30\x2a\xff"])
def test_a_header_extension_is_passed_over_whatever_it_says(form: int, elements: bytes) -> None:
    packet = parse(packed(extension=elements, form=form))
    assert packet is not None and packet.payload == PAYLOAD


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
    assert parse(data) is None


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    packet = parse(data)
    if packet is not None:
        assert packet.payload in data


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
    expected = RtpPacket(sequence, timestamp, payload, ssrc, 96)
    assert parse(packet.serialize()) == expected


@given(st.integers(0, 65535), st.integers(-32768, 32767))
def test_sequence_numbers_wrap_around(of: int, ahead: int) -> None:
    assert sequence_ahead((of + ahead) % 65536, of) == ahead


@given(st.integers(0, 2**32 - 1), st.integers(-(2**31), 2**31 - 1))
def test_timestamps_wrap_around(of: int, ahead: int) -> None:
    assert timestamp_ahead((of + ahead) % 2**32, of) == ahead
