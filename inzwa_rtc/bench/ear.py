"""What one caller hears: when each packet came, and whether there is sound in it.

Nothing is added to what came over the network: no jitter buffer, and a packet is judged when it
arrives. To be judged it is decoded, for nothing else about an Opus packet tells a tone from
silence (a tone needs as few bytes as the noise of a room); but at 8 kHz, the cheapest rate, and
not at all where that can be known: packets of at most `NOTHING_BYTES` have no sound (RFC 6716,
section 3.1 and 4.1: discontinuous transmission, and digital silence), and the same packet again
is judged as before.
"""

from __future__ import annotations

import asyncio
import time
from array import array

from inzwa_rtc.audio.opus import OpusDecoder
from inzwa_rtc.bench.lateness import Arrivals
from inzwa_rtc.bench.utterance import AUDIBLE_RMS, rms
from inzwa_rtc.errors import PeerError

NOTHING_BYTES = 3
_RATE = 8_000
_WRAP = 1 << 32


class Ear:
    """Written by the network, read by the course of the call; times are `time.monotonic`."""

    def __init__(self) -> None:
        self.bad_packets = 0
        self.first_at: float | None = None
        self.last_audible_at = 0.0
        self.fell_silent_at: float | None = None
        """When the first silent packet after the last audible one came, if one did."""
        self._at = array("d")
        self._media_s = array("d")
        self._audible = bytearray()
        self._decoder = OpusDecoder(_RATE)
        self._last_payload = b""
        self._last_verdict = False
        self._ticks = 0
        self._last_timestamp: int | None = None
        self._wants: asyncio.Future[float] | None = None
        self._first = asyncio.Event()

    def put(self, now: float, timestamp: int, payload: bytes) -> None:
        """A packet came: its RTP timestamp (48 kHz), and the Opus in it."""
        is_audible = self._judge(payload)
        self._at.append(now)
        self._media_s.append(self._unwrapped(timestamp) / 48_000)
        self._audible.append(is_audible)
        if self.first_at is None:
            self.first_at = now
            self._first.set()
        if is_audible:
            self.last_audible_at, self.fell_silent_at = now, None
            if self._wants is not None and not self._wants.done():
                self._wants.set_result(now)
        elif self.fell_silent_at is None:
            self.fell_silent_at = now

    @property
    def count(self) -> int:
        """Packets so far."""
        return len(self._at)

    def arrivals(self, since: float) -> Arrivals:
        """Those that came from then on."""
        first = len(self._at)
        while first and self._at[first - 1] >= since:
            first -= 1
        return Arrivals.of(self._at[first:], self._media_s[first:], self._audible[first:])

    async def first_packet(self) -> float:
        """When the first packet of the call came."""
        await self._first.wait()
        assert self.first_at is not None
        return self.first_at

    async def audible(self) -> float:
        """Wait for the next audible packet, and tell when it came."""
        self._wants = asyncio.get_running_loop().create_future()
        try:
            return await self._wants
        finally:
            self._wants = None

    async def silence(self, length_s: float) -> None:
        """Return once nothing audible has come for so long."""
        due = self.last_audible_at + length_s
        while (left := due - time.monotonic()) > 0:
            await asyncio.sleep(left)
            due = self.last_audible_at + length_s

    def _judge(self, payload: bytes) -> bool:
        if len(payload) <= NOTHING_BYTES:
            return False
        if payload != self._last_payload:
            try:
                self._last_verdict = rms(self._decoder.decode(payload)) >= AUDIBLE_RMS
            except PeerError:
                self.bad_packets += 1
                self._last_verdict = False
            self._last_payload = payload
        return self._last_verdict

    def _unwrapped(self, timestamp: int) -> int:
        if self._last_timestamp is not None:
            step = (timestamp - self._last_timestamp) % _WRAP
            self._ticks += step - _WRAP if step >= _WRAP // 2 else step
        self._last_timestamp = timestamp
        return self._ticks
