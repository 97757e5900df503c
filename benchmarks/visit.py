"""One server in one round: started on a processor of its own, called, loaded, ended."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from benchmarks import server
from benchmarks.comparison import CPU, MEMORY, OWN_CPU, Comparison, active, silent
from benchmarks.contenders import Contender
from benchmarks.figures import Machine
from inzwa_rtc.bench.course import Course
from inzwa_rtc.bench.door import NoCall
from inzwa_rtc.bench.fleet import Fleet, Watched
from inzwa_rtc.bench.ramp import Limits, Step, judged, ramp
from inzwa_rtc.bench.utterance import utterance

CORE = 0
SETTLE_S = 2.5
REST_S = 1.5  # until what calls held is given back, as far as it ever is
RAMP_S = 5.0
TRIES = 3
"""So often calls are watched until it is in a run that is not void."""

_PATIENCE_S = 5.0
_START = 8  # calls of a ramp
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured: so many calls (`counts`, ascending), `idle` ones that say nothing, and
    how many of at most `most` are held (0: not at all)."""

    counts: tuple[int, ...]
    idle: int
    most: int
    seconds: float
    limits: Limits


@dataclass(frozen=True, slots=True)
class Visit:
    """Of `contender`, in the round of this `number`; what it finds goes into `comparison`."""

    contender: Contender
    number: int
    plan: Plan
    comparison: Comparison

    async def pay(self, command: list[str]) -> None:
        """Start it by this command, and measure."""
        course = Course(
            utterance("request"),
            utterance("question"),
            interrupts_every=2,
            patience_s=_PATIENCE_S,
        )
        async with server.started(command, core=CORE) as running:
            await self._first_call(running, course)
            if self.plan.idle:
                await self.fleet(running, None, (self.plan.idle,))
            set_ups = (await self.fleet(running, course, self.plan.counts)).set_ups
            self.comparison.add_set_ups(self.contender.name, self.number, set_ups)
            if self.plan.most:
                await self._ramp(running, course)

    async def _first_call(self, running: server.Running, course: Course) -> None:
        """What a first call makes a server load is no part of what a call takes."""
        fleet = Fleet(running.url, self.contender.door, course)
        async with fleet.up():
            await fleet.grow(1)
            await fleet.settle(course.request.length_s * 2)

    async def fleet(
        self, running: server.Running, course: Course | None, counts: tuple[int, ...]
    ) -> Fleet:
        """More and more calls, beside what the server holds before them."""
        await asyncio.sleep(REST_S)
        rest = running.resident()
        fleet = Fleet(running.url, self.contender.door, course)
        async with fleet.up():
            for count in counts:
                try:
                    await fleet.grow(count)
                except NoCall as error:
                    where = f"round {self.number}, {self.contender.name}, {count} calls"
                    self.comparison.notes.append(f"{where} did not come about: {error.message}")
                    break
                await self.level(fleet, running, rest)
        return fleet

    async def level(self, fleet: Fleet, running: server.Running, rest: int) -> None:
        """Watch the calls that are up, until in a run in which the callers were in time."""
        what = active(fleet.calls) if fleet.talks else silent(fleet.calls)
        for _ in range(TRIES):
            await fleet.settle(SETTLE_S)
            machine, before, own = Machine(), running.cpu_s(), time.process_time()
            seen = await fleet.watch(self.plan.seconds)
            cpu_s, own_s = running.cpu_s() - before, time.process_time() - own
            machine.count(cpu_s)
            costs = {
                CPU: cpu_s * 1000 / seen.seconds / seen.calls,
                OWN_CPU: own_s * 1000 / seen.seconds / seen.calls,
                MEMORY: (running.resident() - rest) / _MIB / seen.calls,
                "other work": machine.others(),
            }
            if self._is_told(seen, what, costs):
                return

    def _is_told(self, seen: Watched, what: str, costs: dict[str, float]) -> bool:
        name, step = self.contender.name, judged(seen, self.plan.limits)
        note, where = self.comparison.notes.append, f"round {self.number}, {name}, {what}"
        if step.is_void:
            note(f"void: {where} (callers {seen.own_late_ms:.1f} ms late)")
            return False
        if seen.lost:
            note(f"{where}: {seen.lost} calls were lost")
        self.comparison.add_level(name, self.number, what, seen, costs)
        return True

    async def _ramp(self, running: server.Running, course: Course) -> None:
        await asyncio.sleep(REST_S)
        fleet = Fleet(running.url, self.contender.door, course)
        steps: list[Step] = []
        async with fleet.up():
            async for step in ramp(
                fleet,
                self.plan.limits,
                start=min(_START, self.plan.most),
                most=self.plan.most,
                settle_s=SETTLE_S,
                seconds=RAMP_S,
                grown=lambda count: 2 * count,
            ):
                steps.append(step)
        self.comparison.add_ramp(self.contender.name, self.number, steps)
