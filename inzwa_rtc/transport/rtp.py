"""RTP packets (RFC 3550, section 5.1), as far as a receiver of audio needs them."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

RTP_CLOCK = 48_000  # RFC 7587: Opus counts at 48 kHz whatever it carries

_FIXED = Struct("!BBHII")
_EXTENSION = Struct("!HH")
_ONE_BYTE = 0xBEDE  # RFC 8285, section 4.2
_TWO_BYTE = 0x1000  # section 4.3; the lowest four bits are the application's
_STOP = 15  # the identifier after which nothing of a one-byte form is read


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet. `level` is the loudness that its sender tells (RFC 6464), from 0, the
    loudest, down to 127, which is silence; None where it tells none."""

    sequence: int
    timestamp: int
    payload: bytes
    ssrc: int = 0
    level: int | None = None
    payload_type: int = 0


def parse(data: bytes, level_id: int | None) -> RtpPacket | None:
    """Read a packet whose protection was taken off; None for what is no RTP or is cut short.

    `level_id` is the number that was agreed on for the audio level's header extension.
    """
    end = len(data)
    if end < _FIXED.size or data[0] >> 6 != 2:
        return None
    flags, kind, sequence, timestamp, ssrc = _FIXED.unpack_from(data)
    start = _FIXED.size + 4 * (flags & 0x0F)  # contributing sources tell us nothing
    level = None
    if flags & 0x10:
        if start + _EXTENSION.size > end:
            return None
        form, words = _EXTENSION.unpack_from(data, start)
        first = start + _EXTENSION.size
        start = first + 4 * words
        if level_id is not None and start <= end:
            level = _level(data[first:start], form, level_id)
    if flags & 0x20:
        padding = data[-1]
        if not padding:
            return None
        end -= padding
    if start > end:
        return None
    return RtpPacket(sequence, timestamp, data[start:end], ssrc, level, kind & 0x7F)


def sequence_ahead(sequence: int, of: int) -> int:
    """By how many packets one sequence number is ahead of another, across the wrap-around."""
    return (sequence - of + 0x8000) % 0x10000 - 0x8000


def timestamp_ahead(timestamp: int, of: int) -> int:
    """By how many ticks one timestamp is ahead of another, across the wrap-around."""
    return (timestamp - of + 0x80000000) % 0x100000000 - 0x80000000


def _level(elements: bytes, form: int, level_id: int) -> int | None:
    """The audio level among the elements of a header extension."""
    if form == _ONE_BYTE:
        header = 1
    elif form & 0xFFF0 == _TWO_BYTE:
        header = 2
    else:
        return None
    at = 0
    while at + header <= len(elements):
        if not elements[at]:  # padding
            at += 1
            continue
        if header == 1:
            number, length = elements[at] >> 4, (elements[at] & 0x0F) + 1
            if number == _STOP:
                return None
        else:
            number, length = elements[at], elements[at + 1]
        at += header
        if number == level_id:
            return elements[at] & 0x7F if length and at < len(elements) else None
        at += length
    return None
