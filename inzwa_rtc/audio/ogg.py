"""Opus packets as an Ogg file (RFC 7845), without encoding anything anew."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence

from inzwa_rtc.audio.frame import FRAME_MS

OPUS_RATE = 48_000
"""At which Ogg counts the samples of Opus, whatever the encoder was fed."""

_PACKET_SAMPLES = OPUS_RATE * FRAME_MS // 1000
_PAGE_PACKETS = 50  # a second: 28 bytes of header for some 4,000 of sound
_FIRST_PAGE = 2  # the page with the stream's first packet and no other (RFC 7845, section 3)
_LAST_PAGE = 4
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def ogg_opus(packets: Sequence[bytes], pre_skip: int, rate: int, serial: int = 1) -> bytes:
    """A file of 20 ms packets, mono. The first `pre_skip` samples at 48 kHz are not heard: the
    encoder's lookahead. `rate` (Hz) is told as that of the original sound."""
    return b"".join(_pages(packets, pre_skip, rate, serial))


def _pages(packets: Sequence[bytes], pre_skip: int, rate: int, serial: int) -> Iterator[bytes]:
    head = struct.pack("<8sBBHIhB", b"OpusHead", 1, 1, pre_skip, rate, 0, 0)
    vendor = b"inzwa-rtc"
    tags = struct.pack(f"<8sI{len(vendor)}sI", b"OpusTags", len(vendor), vendor, 0)
    yield _page([head], 0, serial, 0, _FIRST_PAGE)
    yield _page([tags], 0, serial, 1, 0)
    for number, start in enumerate(range(0, len(packets), _PAGE_PACKETS), start=2):
        some = packets[start : start + _PAGE_PACKETS]
        end = start + len(some)
        kind = _LAST_PAGE if end == len(packets) else 0
        yield _page(some, end * _PACKET_SAMPLES, serial, number, kind)


def _page(packets: Iterable[bytes], granule: int, serial: int, number: int, kind: int) -> bytes:
    """One page (RFC 3533, section 6) of whole packets, of less than 255 segments."""
    sizes = bytearray()
    for packet in packets:
        sizes += b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
    body = bytes(sizes) + b"".join(packets)
    before = struct.pack("<4sBBqII", b"OggS", 0, kind, granule, serial, number)
    after = bytes([len(sizes)]) + body
    return before + struct.pack("<I", _checksum(before + bytes(4) + after)) + after


def _checksum(data: bytes) -> int:
    """Ogg's CRC-32: zlib's polynomial with the bits the other way round, from 0 and not inverted.
    Reversing bytes is quicker by far than a loop over them."""
    reflected = zlib.crc32(data.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(reflected.to_bytes(4, "little").translate(_REVERSED), "big")
