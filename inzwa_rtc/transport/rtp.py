"""RTP packets (RFC 3550), as far as a call needs them."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_HEADER = struct.Struct("!BBHII")


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet's place in its stream, and what it carries."""

    sequence: int
    timestamp: int
    payload: bytes
    ssrc: int = 0
    level: int | None = None


def parse(data: bytes, level_id: int | None) -> RtpPacket | None:
    """The packet, or None for what is none."""
    if len(data) < _HEADER.size or data[0] >> 6 != 2:
        return None
    first, _, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    at = _HEADER.size + 4 * (first & 15)
    end = len(data)
    level = None
    if first & 16:
        if end < at + 4:
            return None
        length = 4 * int.from_bytes(data[at + 2 : at + 4], "big")
        at += 4 + length
    if first & 32 and end:
        end -= data[-1]
    if at > end:
        return None
    return RtpPacket(sequence, timestamp, data[at:end], ssrc, level)
