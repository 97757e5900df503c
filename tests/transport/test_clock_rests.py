"""Ticks at which nobody has anything to do are left out, until somebody has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from inzwa_rtc.engines.contracts import Haste
from inzwa_rtc.transport import clock as clock_module
from inzwa_rtc.transport.clock import MOST_LEFT_OUT, MediaClock
from inzwa_rtc.turntaking.ear import Ear
from inzwa_rtc.turntaking.looks import CYCLE
from tests.support.listening import LoudNetwork
from tests.support.wire import LOUD, Wire
from tests.transport.test_clock import Noting, Told


class Planned:
    """What is to be called at a time, unless it is cancelled."""

    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at = at
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None


class Steered:
    """Stands in for `asyncio`: time passes when the test says so."""

    Event = asyncio.Event

    def __init__(self) -> None:
        self.now = 100.0
        self.planned: list[Planned] = []

    def get_running_loop(self) -> Steered:
        return self

    def time(self) -> float:
        return self.now

    def create_future(self) -> asyncio.Future[None]:
        return asyncio.get_running_loop().create_future()

    def call_later(self, seconds: float, call: Callable[..., None], *given: Any) -> Planned:
        self.planned.append(Planned(self.now + seconds, lambda: call(*given)))
        return self.planned[-1]

    def pass_ms(self, ms: float, late_ms: float = 0.0) -> None:
        """What is due meanwhile is called, so much later than it should be."""
        until = self.now + ms / 1000
        while due := [one for one in self.planned if one.call and one.at <= until + 1e-9]:
            next_one = min(due, key=lambda one: one.at)
            self.planned.remove(next_one)
            self.now = max(self.now, next_one.at + late_ms / 1000)
            assert next_one.call is not None
            next_one.call()
        self.now = max(self.now, until)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Steered:
    steered = Steered()
    monkeypatch.setattr(clock_module, "asyncio", steered)
    return steered


@asynccontextmanager
async def ticking(
    lines: Sequence[Told], listeners: Sequence[Noting] = ()
) -> AsyncIterator[MediaClock]:
    clock = MediaClock()
    clock.listeners += listeners
    for line in lines:
        clock.add(line)
    running = asyncio.create_task(clock.run())
    await asyncio.sleep(0)
    try:
        yield clock
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def resting(ticks: int) -> Told:
    line = Told([], "a")
    line.rest = ticks
    return line


async def test_no_tick_comes_that_nobody_needs(time: Steered) -> None:
    left_out: list[int] = []
    lines = [resting(3), resting(5)]
    listener = Noting(lambda _, ticks: left_out.append(ticks), rest=6)
    async with ticking(lines, [listener]) as clock:
        time.pass_ms(200)
        assert lines[0].ticks == lines[1].ticks == [0, 4, 8]
        assert left_out == [0, 3, 3]
        assert clock.lateness.p99_ms == pytest.approx(0, abs=1e-6)


async def test_whoever_needs_each_tick_has_it(time: Steered) -> None:
    lines = [resting(3), resting(0)]
    async with ticking(lines):
        time.pass_ms(60)
        assert lines[0].ticks == [0, 1, 2, 3]


async def test_a_clock_that_nobody_needs_for_long_ticks_all_the_same(time: Steered) -> None:
    line = resting(1000)
    async with ticking([line]):
        time.pass_ms(20 * (MOST_LEFT_OUT + 1))
        assert line.ticks == [0, MOST_LEFT_OUT + 1]


@pytest.mark.parametrize("after_ms", [1, 20, 39, 79, 99])
async def test_whoever_wakes_it_has_the_very_next_tick(time: Steered, after_ms: int) -> None:
    left_out: list[int] = []
    line = resting(5)
    async with ticking([line], [Noting(lambda _, ticks: left_out.append(ticks), 9)]) as clock:
        time.pass_ms(after_ms)
        clock.wake()
        clock.wake()
        before = time.now
        while len(line.ticks) == 1:
            time.pass_ms(1)
        assert time.now - before <= 0.02
        assert line.ticks == [0, max(1, -(-after_ms // 20))]
        assert left_out == [0, line.ticks[1] - 1]
        time.pass_ms(118)
        assert len(line.ticks) == 2
        time.pass_ms(3)
        assert line.ticks[2] == line.ticks[1] + 6
        assert clock.lateness.p99_ms == pytest.approx(0, abs=1e-6)


async def test_who_comes_or_goes_is_not_waited_for(time: Steered) -> None:
    first, other = resting(7), resting(0)
    async with ticking([first]) as clock:
        time.pass_ms(30)
        clock.add(other)
        time.pass_ms(10)
        assert other.ticks == [2]
        other.rest = 7
        time.pass_ms(20)
        clock.remove(other)
        time.pass_ms(20)
        assert first.ticks == [0, 2, 3, 4]


async def test_a_tick_that_comes_late_behind_a_rest_is_known_to_be_late(time: Steered) -> None:
    line = resting(3)
    async with ticking([line]) as clock:
        for _ in range(20):
            time.pass_ms(80, late_ms=50)
        assert clock.lateness.p99_ms == pytest.approx(50, abs=1e-3)
        assert clock.lateness.p50_ms == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("late_ms", [10, 39, 70])
async def test_a_wake_cannot_hide_that_a_tick_was_overdue(time: Steered, late_ms: int) -> None:
    """What blocked the loop may also be what wakes the clock."""
    line = resting(3)
    async with ticking([line]) as clock:
        time.pass_ms(0)
        for _ in range(20):
            planned = len(line.ticks)
            time.now = next(one.at for one in time.planned if one.call) + late_ms / 1000
            clock.wake()
            time.pass_ms(0)
            assert len(line.ticks) == planned + 1
        assert line.ticks[:3] == [0, 4, 8]
        assert clock.lateness.p99_ms == pytest.approx(late_ms, abs=20)


async def test_whoever_is_woken_for_within_a_tick_has_the_next_one(time: Steered) -> None:
    line, listener = resting(5), Noting(lambda *_: None, rest=5)

    async with ticking([line], [listener]) as clock:

        def busy(now: float, left_out: int) -> None:
            listener.rest = 0 if len(line.ticks) == 2 else 5
            clock.wake()

        listener.tick = busy
        time.pass_ms(20 * 12)
        assert line.ticks == [0, 6, 7]


async def test_whoever_begins_to_listen_wakes_it(time: Steered) -> None:
    line = resting(7)
    async with ticking([line]) as clock:
        time.pass_ms(5)
        with clock.kept():
            time.pass_ms(15)
            assert line.ticks == [0, 1]


@pytest.mark.parametrize("late_ms", [15, 19, 25, 45, 70, 95])
@pytest.mark.parametrize("rest", [1, 2, 6])
async def test_an_ear_keeps_to_the_grid_of_time_whatever_stalls_there_are(
    time: Steered, late_ms: int, rest: int
) -> None:
    """Windows are whole at the same ticks as before."""
    ear, wire = Ear(LoudNetwork()), Wire(haste=Haste.IN_TIME)
    looked_at: list[float] = []

    def look(now: float, left_out: int) -> None:
        ear.tick(now, left_out)
        if not wire.frames:
            looked_at.append(now)
        wire.frames.append(LOUD)

    listener = Noting(look)
    listener.rests = ear.rests  # type: ignore[method-assign]
    with ear.of_call().listening(wire):
        async with ticking([resting(rest)], [listener]):
            time.pass_ms(400)
            for _ in range(5):
                time.pass_ms(20, late_ms=late_ms)
                time.pass_ms(200)
            looked_at.clear()
            time.pass_ms(1000)
    steps = [round((now - 100.0) / 0.02) for now in looked_at]
    assert len(steps) >= 5
    assert {step % CYCLE for step in steps} == {6}


async def test_an_ear_that_begins_behind_a_rest_counts_its_stalls_all_the_same() -> None:
    ear = Ear(LoudNetwork())
    with ear.of_call().listening(Wire(haste=Haste.IN_TIME)):
        ear.tick(100.0, 3)
        rests = ear.rests()
        ear.tick(100.06, 0)  # a stall has taken two
        assert (rests - ear.rests()) % CYCLE == 3


async def test_a_line_that_does_not_know_when_it_is_needed_is_let_go(time: Steered) -> None:
    class Lost(Told):
        def rests(self, now: float) -> int:
            raise RuntimeError("of the line's own")

    lost, line = Lost([], "lost"), resting(1)
    async with ticking([lost, line]) as clock:
        time.pass_ms(60)
        assert lost.failed == 1
        assert line.ticks[:2] == [0, 1]
        assert len(clock) == 1
