"""Many callers at once, and what they found while they were watched."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import chain

import aiohttp
import numpy as np
import numpy.typing as npt

from inzwa_rtc.bench.caller import Caller, calling
from inzwa_rtc.bench.clock import SendClock
from inzwa_rtc.bench.course import Course, Samples, talk
from inzwa_rtc.bench.door import Door, Refused
from inzwa_rtc.errors import InzwaError

SETTLE_S = 0.3
_BY_ITSELF_MS = 2000  # a first packet that comes later is an answer


@dataclass(slots=True)
class SetUps:
    """How long calls took to come about, in milliseconds from the request for them."""

    connected_ms: list[float] = field(default_factory=list)
    """Until ICE and DTLS were through."""
    first_packet_ms: list[float] = field(default_factory=list)
    """Until the first packet of audio came, where one came by itself."""
    refused: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Watched:
    """What a number of calls found in a stretch of time."""

    calls: int
    seconds: float
    responses_ms: tuple[float, ...]
    stops_ms: tuple[float, ...]
    cuts_ms: tuple[float, ...]
    waits_ms: tuple[float, ...]
    """How long each question had waited that was not answered at the end."""
    unanswered: int
    early: int
    talked_on: int
    lost: int
    late_ms: npt.NDArray[np.float64]
    """Of every packet that the server sent."""
    gaps: int
    heard_s: float
    own_late_ms: float
    """The callers' own lateness, 99th percentile."""

    def outbound_ms(self, percentile: float = 99.0) -> float:
        """The lateness of what the server sent; infinite where nothing came at all."""
        return float(np.percentile(self.late_ms, percentile)) if len(self.late_ms) else np.inf


@dataclass(slots=True)
class _Placed:
    """A call that came about, and what holds it."""

    caller: Caller
    samples: Samples
    call: AsyncExitStack
    talking: asyncio.Task[None] | None


class Fleet:
    """The callers of one server; it begins with none."""

    def __init__(self, url: str, door: Door, course: Course | None, key: str | None = None) -> None:
        """Without a `course` the callers say nothing."""
        self.set_ups = SetUps()
        self.clock = SendClock()
        self._url, self._door, self._course, self._key = url, door, course, key
        self._placed: list[_Placed] = []

    @property
    def calls(self) -> int:
        """How many there are."""
        return len(self._placed)

    @property
    def talks(self) -> bool:
        """Whether the callers say anything."""
        return self._course is not None

    async def grow(self, count: int) -> None:
        """Place calls, one after the other, until there are so many. Raises `Refused`,
        `NotLetIn` and `NoCall` by the first that does not come about; those before it stay."""
        while self.calls < count:
            caller, samples = Caller(self._url, self._door, self._key), Samples()
            call = AsyncExitStack()
            try:
                await call.enter_async_context(calling(caller, self._http, self.clock))
            except Refused:
                self.set_ups.refused += 1
                raise
            except InzwaError:
                self.set_ups.failed += 1
                raise
            self.set_ups.connected_ms.append((caller.connected_at - caller.asked_at) * 1000)
            talking = None
            if self._course is not None:
                talking = self._tasks.create_task(talk(caller, self._course, samples))
            self._placed.append(_Placed(caller, samples, call, talking))

    async def shrink(self, count: int) -> None:
        """End those that were lost, and the latest calls, until there are so many."""
        lost = [placed for placed in self._placed if placed.caller.lost]
        there = [placed for placed in self._placed if not placed.caller.lost]
        self._placed = there[:count]
        for placed in [*lost, *there[count:]]:
            if placed.talking is not None:
                placed.talking.cancel()
            first_ms = ((placed.caller.ear.first_at or np.inf) - placed.caller.asked_at) * 1000
            if first_ms < _BY_ITSELF_MS:
                self.set_ups.first_packet_ms.append(first_ms)
            await placed.call.aclose()

    async def settle(self, seconds: float) -> None:
        """Let calls that were just placed come into their course."""
        await asyncio.sleep(seconds)

    async def watch(self, seconds: float) -> Watched:
        """Let so much time pass, and tell what was found in it."""
        with _without_collections():
            await asyncio.sleep(SETTLE_S)  # what stood still while garbage was collected arrives
            self.clock.reset()
            since = time.monotonic()
            await asyncio.sleep(seconds)
        now, own_late_ms = time.monotonic(), self.clock.late_ms()
        arrivals = [one.caller.ear.arrivals(since) for one in self._placed]
        found = [one.samples for one in self._placed]

        def within(samples: Iterable[tuple[float, float]]) -> tuple[float, ...]:
            return tuple(ms for at, ms in samples if at >= since)

        return Watched(
            self.calls,
            now - since,
            within(chain.from_iterable(one.responses for one in found)),
            within(chain.from_iterable(one.stops for one in found)),
            within(chain.from_iterable(one.cuts for one in found)),
            tuple((now - one.waits_since) * 1000 for one in found if one.waits_since is not None),
            sum(at >= since for one in found for at in one.unanswered),
            sum(at >= since for one in found for at in one.early),
            sum(at >= since for one in found for at in one.talked_on),
            sum(one.caller.lost for one in self._placed),
            np.concatenate([one.lateness_ms() for one in arrivals]) if arrivals else np.zeros(0),
            sum(one.gaps() for one in arrivals),
            sum(one.heard_s() for one in arrivals),
            own_late_ms,
        )

    @asynccontextmanager
    async def up(self) -> AsyncIterator[Fleet]:
        """Calls can be placed while the block runs, and all have ended after it. The block's own
        error leaves as it is, in no group."""
        failure: Exception | None = None
        async with asyncio.TaskGroup() as self._tasks:
            ticking = self._tasks.create_task(self.clock.run())
            async with aiohttp.ClientSession() as self._http:
                try:
                    yield self
                except Exception as error:  # noqa: BLE001 - raised again, outside the group
                    failure = error
                finally:
                    await self.shrink(0)
            ticking.cancel()
        if failure is not None:
            raise failure


@contextmanager
def _without_collections() -> Iterator[None]:
    """A collection of garbage stops all callers at once, for longer than a tick: it is done
    before, and nothing that is watched makes much of it."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
