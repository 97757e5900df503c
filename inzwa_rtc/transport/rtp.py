"""RTP packets (RFC 3550, section 5.1), as far as a receiver of audio needs them."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

RTP_CLOCK = 48_000  # RFC 7587: Opus counts at 48 kHz whatever it carries

_FIXED = Struct("!BBHII")
_EXTENSION = Struct("!2xH")  # its form says nothing that is needed


@dataclass(frozen=True, slots=True)
class RtpPacket:
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


def sequence_ahead(sequence: int, of: int) -> int:
    """By how many packets one sequence number is ahead of another, across the wrap-around."""
    return (sequence - of + 0x8000) % 0x10000 - 0x8000


def timestamp_ahead(timestamp: int, of: int) -> int:
    """By how many ticks one timestamp is ahead of another, across the wrap-around."""
    return (timestamp - of + 0x80000000) % 0x100000000 - 0x80000000
