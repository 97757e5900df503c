"""RTP packets (RFC 3550, section 5.1), as far as a receiver of audio needs them."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

RTP_CLOCK = 48_000  # RFC 7587: Opus counts at 48 kHz whatever it carries

AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"  # RFC 6464
SILENT_FROM = 72
"""In -dBov (RFC 6464: 0 is loudest, 127 silence). It is the root mean square, and less than what
a turn detector takes for silence, whatever a voice detector says of it."""

_ONE_BYTE = b"\xbe\xde"
_FIXED = Struct("!BBHII")
_EXTENSION = Struct("!2xH")  # its form says nothing that is needed


class RtpPacket(NamedTuple):
    """One packet; what its header extension says is passed over."""

    sequence: int
    timestamp: int
    payload: bytes
    ssrc: int = 0
    payload_type: int = 0


def parse(data: bytes) -> RtpPacket | None:
    """Read a packet whose protection was taken off; None for what is no RTP or is cut short."""
    end = len(data)
    if end < _FIXED.size or data[0] >> 6 != 2:
        return None
    flags, kind, sequence, timestamp, ssrc = _FIXED.unpack_from(data)
    start = _FIXED.size + 4 * (flags & 0x0F)  # contributing sources tell us nothing
    if flags & 0x10:
        if start + _EXTENSION.size > end:
            return None
        (words,) = _EXTENSION.unpack_from(data, start)
        start += _EXTENSION.size + 4 * words
    if flags & 0x20:
        padding = data[-1]
        if not padding:
            return None
        end -= padding
    if start > end:
        return None
    return RtpPacket(sequence, timestamp, data[start:end], ssrc, kind & 0x7F)


def is_told_silent(data: bytes, level_id: int) -> bool:
    """Whether a packet, protected or not, tells that what it holds is silent: by the header
    extension for loudness (RFC 6464) under this number, in the form of one byte (RFC 8285). It is
    the sender's claim, and before the packet is authenticated it may be anybody's."""
    if len(data) < _FIXED.size or not data[0] & 0x10:
        return False
    at = _FIXED.size + 4 * (data[0] & 0x0F)
    if data[at : at + 2] != _ONE_BYTE:
        return False
    elements = data[at + 4 : at + 4 + 4 * int.from_bytes(data[at + 2 : at + 4])]
    at = 0
    while at + 1 < len(elements):
        number = elements[at] >> 4
        if number == level_id:
            return elements[at + 1] & 0x7F >= SILENT_FROM
        at += 2 + (elements[at] & 0x0F) if number else 1  # 0 is padding
    return False


def sequence_ahead(sequence: int, of: int) -> int:
    """By how many packets one sequence number is ahead of another, across the wrap-around."""
    return (sequence - of + 0x8000) % 0x10000 - 0x8000


def timestamp_ahead(timestamp: int, of: int) -> int:
    """By how many ticks one timestamp is ahead of another, across the wrap-around."""
    return (timestamp - of + 0x80000000) % 0x100000000 - 0x80000000
