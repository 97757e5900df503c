"""What one caller says: queued utterances, else silence, as RTP packets."""

from __future__ import annotations

import asyncio
import random
import struct
from collections import deque

from inzwa_rtc.audio.frame import FRAME_MS
from inzwa_rtc.bench.utterance import Packet, Utterance, silence

_TICKS = 48 * FRAME_MS
_VERSION = 0x80
_EXTENDED = 0x10
_MARKER = 0x80
_ONE_BYTE = 0xBEDE  # RFC 8285: header extensions of one byte each
_VOICE = 0x80


class Spoken:
    """One utterance on its way; the times are those at which its packets left."""

    def __init__(self) -> None:
        self.first_at = 0.0
        """When the first audible packet left."""
        self.last_at = 0.0
        """When the last audible packet left."""
        self._begun = asyncio.Event()
        self._sent = asyncio.Event()

    async def begun(self) -> None:
        """Return once the first audible packet has left."""
        await self._begun.wait()

    async def sent(self) -> None:
        """Return once the last audible packet has left."""
        await self._sent.wait()

    def begin(self, now: float) -> None:
        """The first audible packet leaves."""
        self.first_at = now
        self._begun.set()

    def finish(self, now: float) -> None:
        """The last audible packet leaves."""
        self.last_at = now
        self._sent.set()


class Mouth:
    """Makes the packets of one stream, 20 ms apart.

    `level_id` is the id of the header extension for loudness (RFC 6464), as the answer has it;
    None where the server does not want it.
    """

    def __init__(self, ssrc: int, payload_type: int, level_id: int | None) -> None:
        self._ssrc = ssrc
        self._payload_type = payload_type
        self._level_id = level_id
        self._sequence = random.getrandbits(15)
        self._timestamp = random.getrandbits(31)
        self._silence = silence()
        self._was_audible = False
        self._queue: deque[tuple[Packet, Spoken, bool, bool]] = deque()

    def say(self, what: Utterance) -> Spoken:
        """Queue an utterance."""
        spoken = Spoken()
        for number, packet in enumerate(what.packets):
            self._queue.append((packet, spoken, number == what.first, number == what.last))
        return spoken

    def next(self, now: float) -> bytes:
        """The packet that leaves now."""
        packet = self._silence
        if self._queue:
            packet, spoken, is_first, is_last = self._queue.popleft()
            if is_first:
                spoken.begin(now)
            if is_last:
                spoken.finish(now)
        return self._rtp(packet)

    def _rtp(self, packet: Packet) -> bytes:
        marker = _MARKER if packet.is_audible and not self._was_audible else 0
        self._was_audible = packet.is_audible
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp = (self._timestamp + _TICKS) & 0xFFFFFFFF
        head = struct.pack(
            "!BBHII",
            _VERSION | (0 if self._level_id is None else _EXTENDED),
            marker | self._payload_type,
            self._sequence,
            self._timestamp,
            self._ssrc,
        )
        if self._level_id is None:
            return head + packet.payload
        level = (_VOICE if packet.is_audible else 0) | packet.level
        extension = struct.pack("!HHBBxx", _ONE_BYTE, 1, self._level_id << 4, level)
        return head + extension + packet.payload
