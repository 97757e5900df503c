"""Opus in Ogg (RFC 7845): packets that there are already, and speech as it is made."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from inzwa_rtc.audio.frame import BYTES_PER_SAMPLE, FRAME_MS, frame_bytes
from inzwa_rtc.audio.opus import OpusEncoder
from inzwa_rtc.audio.resample import Resampler

OPUS_RATE = 48_000
"""At which Ogg counts the samples of Opus, whatever the encoder was fed."""

_PACKET_SAMPLES = OPUS_RATE * FRAME_MS // 1000
_SERIAL = 1  # of the only stream in a file
_ENCODED_RATE = 24_000  # Hz: speech has nothing above 12 kHz
_FIRST_PACKETS = 3  # 60 ms
_NEXT_PACKETS = 10
_PAGE_PACKETS = 50  # a second: 28 bytes of header for some 4,000 of sound
_FIRST_PAGE = 2  # the page with the stream's first packet and no other (RFC 7845, section 3)
_LAST_PAGE = 4
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def ogg_opus(packets: Sequence[bytes], pre_skip: int, rate: int) -> bytes:
    """A file of 20 ms packets, mono, of which there is at least one. The first `pre_skip`
    samples at 48 kHz are not heard: the encoder's lookahead. `rate` (Hz) is told as that of the
    original sound."""
    pages = _Pages(pre_skip, rate)
    parts = [pages.head()]
    for start in range(0, len(packets), _PAGE_PACKETS):
        some = packets[start : start + _PAGE_PACKETS]
        is_last = start + len(some) == len(packets)
        parts.append(pages.last(some) if is_last else pages.next(some))
    return b"".join(parts)


class OggOpus:
    """Speech at `rate` Hz on its way into a file (`container.Encoder`). Its pages are short, the
    first one shortest, so that sound leaves soon; a file tells its true length at the end."""

    def __init__(self, rate: int, bitrate: int = 32_000) -> None:
        self._encoder = OpusEncoder(_ENCODED_RATE, bitrate)
        self._resampler = Resampler(rate, _ENCODED_RATE)
        self._pre_skip = self._encoder.lookahead * OPUS_RATE // _ENCODED_RATE
        self._pages = _Pages(self._pre_skip, rate)
        self._head = self._pages.head()
        self._sound = bytearray()
        self._bytes = 0
        self._packets: list[bytes] = []
        self._most = _FIRST_PACKETS

    def feed(self, pcm: bytes) -> bytes:
        """The pages that are complete with this (int16 LE mono)."""
        self._take(self._resampler.feed(pcm))
        ready, self._head = self._head, b""
        while len(self._packets) > self._most:
            ready += self._pages.next(self._packets[: self._most])
            del self._packets[: self._most]
            self._most = _NEXT_PACKETS
        return ready

    def finish(self) -> bytes:
        """The rest."""
        self._take(self._resampler.flush())
        heard = self._bytes // BYTES_PER_SAMPLE * OPUS_RATE // _ENCODED_RATE
        size = frame_bytes(_ENCODED_RATE)
        rest = bytes(self._encoder.lookahead * BYTES_PER_SAMPLE)  # so that its last samples come
        rest += bytes(-(len(self._sound) + len(rest)) % size)
        self._take(rest)
        return self._head + self._pages.last(self._packets, self._pre_skip + heard)

    def close(self) -> None:
        """There is nothing that has to be closed."""

    def _take(self, pcm: bytes) -> None:
        self._sound += pcm
        self._bytes += len(pcm)
        size = frame_bytes(_ENCODED_RATE)
        whole = len(self._sound) - len(self._sound) % size
        for at in range(0, whole, size):
            self._packets.append(self._encoder.encode(bytes(self._sound[at : at + size])))
        del self._sound[:whole]


class _Pages:
    """The pages of one file, in order."""

    def __init__(self, pre_skip: int, rate: int) -> None:
        self._head = struct.pack("<8sBBHIhB", b"OpusHead", 1, 1, pre_skip, rate, 0, 0)
        self._number = 2  # after the two of the head
        self._packets = 0

    def head(self) -> bytes:
        vendor = b"inzwa-rtc"
        tags = struct.pack(f"<8sI{len(vendor)}sI", b"OpusTags", len(vendor), vendor, 0)
        return _page([self._head], 0, 0, _FIRST_PAGE) + _page([tags], 0, 1, 0)

    def next(self, packets: Sequence[bytes], kind: int = 0, granule: int | None = None) -> bytes:
        self._packets += len(packets)
        end = self._packets * _PACKET_SAMPLES if granule is None else granule
        page = _page(packets, end, self._number, kind)
        self._number += 1
        return page

    def last(self, packets: Sequence[bytes], granule: int | None = None) -> bytes:
        """`granule`: where the sound ends, if that is before the end of the last packet."""
        return self.next(packets, _LAST_PAGE, granule)


def _page(packets: Sequence[bytes], granule: int, number: int, kind: int) -> bytes:
    """One page (RFC 3533, section 6) of whole packets, of less than 255 segments."""
    sizes = bytearray()
    for packet in packets:
        sizes += b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
    body = bytes(sizes) + b"".join(packets)
    before = struct.pack("<4sBBqII", b"OggS", 0, kind, granule, _SERIAL, number)
    after = bytes([len(sizes)]) + body
    return before + struct.pack("<I", _checksum(before + bytes(4) + after)) + after


def _checksum(data: bytes) -> int:
    """Ogg's CRC-32: zlib's polynomial with the bits the other way round, from 0 and not inverted.
    Reversing bytes is quicker by far than a loop over them."""
    reflected = zlib.crc32(data.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(reflected.to_bytes(4, "little").translate(_REVERSED), "big")
