"""What a benchmark's caller hears and is told, and when, on the clock of this process."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from inzwa_rtc.audio.frame import FRAME_MS
from inzwa_rtc.bench.utterance import AUDIBLE_RMS, rms

_T = TypeVar("_T")

PATIENCE_S = 15.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """20 ms of audio and when it came."""

    at: float
    is_audible: bool


@dataclass(frozen=True, slots=True)
class Told:
    """An event and when it came."""

    at: float
    event: dict[str, Any]


@dataclass(slots=True)
class Ear:
    """All that came."""

    arrivals: list[Arrival] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def put_audio(self, pcm: bytes) -> None:
        """Audio arrived (int16 LE)."""
        self.note(rms(pcm) >= AUDIBLE_RMS)

    def note(self, is_audible: bool) -> None:
        """A packet arrived."""
        self.arrivals.append(Arrival(_now(), is_audible))
        self._changed.set()

    def put_event(self, message: str) -> None:
        """An event arrived."""
        self.told.append(Told(_now(), json.loads(message)))
        self._changed.set()

    async def packet(self) -> Arrival:
        """The first packet of the call."""
        return await self._until(lambda: self.arrivals[0] if self.arrivals else None)

    async def audible(self, since: float) -> Arrival:
        """The first audible packet from then on."""
        return await self._until(
            lambda: next((a for a in self._since(since) if a.is_audible), None)
        )

    async def event(self, kind: str, since: float = 0.0) -> Told:
        """The first event of this type from then on."""
        return await self._until(
            lambda: next((t for t in self.told if t.at >= since and t.event["type"] == kind), None)
        )

    async def silence(self, length_s: float) -> None:
        """Return once nothing audible has come for so long."""
        since = _now()
        due = since + length_s
        while due > _now():
            await asyncio.sleep(due - _now())
            due = self._last_audible(since) + length_s

    def waits_s(self, since: float) -> list[float]:
        """The times from each packet with sound in it to the next packet, of those that came from
        then on. Over WebRTC: our server sends nothing in silence but its first packet."""
        pairs = itertools.pairwise(self._since(since))
        return [after.at - one.at for one, after in pairs if one.is_audible]

    def fell_silent_at(self, since: float, until: float) -> float:
        """When the silence that reigns at `until` began: the arrival of its first packet.

        Over a WebSocket silence is not sent; it begins 20 ms after the last audible frame.
        """
        window = [a for a in self._since(since) if a.at <= until]
        last = max((n for n, a in enumerate(window) if a.is_audible), default=-1)
        if last == -1:
            return since
        after = window[last].at + FRAME_MS / 1000
        return window[last + 1].at if last + 1 < len(window) else after

    def _since(self, since: float) -> list[Arrival]:
        first = len(self.arrivals)
        while first and self.arrivals[first - 1].at >= since:
            first -= 1
        return self.arrivals[first:]

    def _last_audible(self, since: float) -> float:
        return max((a.at for a in self._since(since - 1.0) if a.is_audible), default=since)

    async def _until(self, look: Callable[[], _T | None]) -> _T:
        async with asyncio.timeout(PATIENCE_S):
            while (found := look()) is None:
                self._changed.clear()
                await self._changed.wait()
            return found


def _now() -> float:
    return asyncio.get_running_loop().time()
