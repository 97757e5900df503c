"""One clock for all lines: when it ticks, for whom, and what a fault of one does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from inzwa_rtc.transport import clock as clock_module
from inzwa_rtc.transport.clock import MediaClock
from inzwa_rtc.transport.punctuality import Percentiles


class Told:
    """A line that notes what it is told, after `until` ticks with a fault."""

    def __init__(self, course: list[str], name: str, until: int = 1000) -> None:
        self.ticks: list[int] = []
        self.failed = 0
        self.rest = 0
        self._course = course
        self._name = name
        self._until = until

    def send(self, tick: int, now: float) -> None:
        if len(self.ticks) == self._until:
            raise RuntimeError("of the line's own")
        self.ticks.append(tick)
        self._course.append(f"{self._name} sends")

    def take_in(self, now: float) -> None:
        self._course.append(f"{self._name} takes in")

    def rests(self, now: float) -> int:
        return self.rest

    def fail(self) -> None:
        self.failed += 1


class Noting:
    """A listener that notes when it listens, and how many ticks were left out before that."""

    def __init__(self, note: Callable[[float, int], None], rest: int = 0) -> None:
        self.tick = note
        self.rest = rest

    def rests(self) -> int:
        return self.rest


def test_all_send_before_any_takes_in_and_listeners_come_last() -> None:
    course: list[str] = []
    clock = MediaClock()
    clock.listeners.append(Noting(lambda now, _: course.append(f"at {now}")))
    for name in ("a", "b"):
        clock.add(Told(course, name))
    clock.send(0, 1.0)
    clock.take_in(2.0)
    assert course == ["a sends", "b sends", "a takes in", "b takes in", "at 2.0"]


def test_a_line_with_a_fault_is_let_go_and_the_others_go_on() -> None:
    course: list[str] = []
    clock = MediaClock()
    bad, good = Told(course, "bad", until=1), Told(course, "good")
    clock.add(bad)
    clock.add(good)
    for tick in range(3):
        clock.send(tick, 0.0)
        clock.take_in(0.0)
    assert (bad.ticks, bad.failed) == ([0], 1)
    assert (good.ticks, good.failed) == ([0, 1, 2], 0)
    assert len(clock) == 1


def test_a_listener_with_a_fault_is_told_of_and_everybody_else_goes_on() -> None:
    def fail(_now: float, _left_out: int) -> None:
        raise RuntimeError("of the listener's own")

    course: list[str] = []
    heard: list[float] = []
    clock, line = MediaClock(), Told(course, "a")
    clock.listeners += [Noting(fail), Noting(lambda now, _: heard.append(now))]
    clock.add(line)
    with capture_logs() as told:
        for tick in range(2):
            clock.send(tick, float(tick))
            clock.take_in(float(tick))
    assert [one["event"] for one in told] == ["media.listener_failed"] * 2
    assert (line.ticks, line.failed, heard) == ([0, 1], 0, [0.0, 1.0])


async def test_it_ticks_while_there_are_lines_and_sleeps_while_there_are_none() -> None:
    clock, ticks = MediaClock(), asyncio.Queue[float]()
    clock.listeners.append(Noting(lambda now, _: ticks.put_nowait(now)))
    running = asyncio.create_task(clock.run())
    try:
        async with asyncio.timeout(30):
            for _ in range(2):
                line = Told([], "a")
                clock.add(line)
                for _ in range(5):
                    await ticks.get()
                clock.remove(line)
                clock.remove(line)
                assert line.ticks == sorted(set(line.ticks))
            while clock.lateness.p99_ms:  # noqa: ASYNC110 - falling asleep is no event
                await asyncio.sleep(0)
    finally:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


def test_a_clock_that_has_not_run_is_not_late() -> None:
    assert MediaClock().lateness.p99_ms == 0


class Time:
    """Stands in for `asyncio` where only time is asked of it: it passes as fast as it is read."""

    Event = asyncio.Event

    def __init__(self) -> None:
        self.now = 100.0

    def get_running_loop(self) -> Time:
        return self

    def time(self) -> float:
        return self.now

    def create_future(self) -> asyncio.Future[None]:
        return asyncio.get_running_loop().create_future()

    def call_later(self, seconds: float, call: Callable[..., None], *given: Any) -> asyncio.Handle:
        self.now += seconds
        return asyncio.get_running_loop().call_soon(call, *given)


class Slow(Told):
    """Takes so long to take in what has come."""

    def __init__(self, time: Time, work_s: float) -> None:
        super().__init__([], "slow")
        self.seen = asyncio.Queue[None]()
        self._time = time
        self._work_s = work_s

    def take_in(self, now: float) -> None:
        self._time.now += self._work_s
        self.seen.put_nowait(None)


async def late_after_10_s(time: Time, work_s: float) -> Percentiles:
    """Of a clock whose only line needs so long at each tick."""
    clock, line = MediaClock(), Slow(time, work_s)
    clock.add(line)
    running = asyncio.create_task(clock.run())
    until = time.now + 10
    try:
        while time.now < until:
            await line.seen.get()
        return clock.lateness
    finally:
        running.cancel()


async def test_a_clock_whose_ticks_take_too_long_knows_that_it_is_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    time = Time()
    monkeypatch.setattr(clock_module, "asyncio", time)
    assert (await late_after_10_s(time, 0.01)).p99_ms == pytest.approx(0, abs=1e-3)
    overloaded = await late_after_10_s(time, 0.2)
    assert overloaded.p50_ms > 80
    assert overloaded.p99_ms > 150


def test_a_line_that_fails_even_to_end_ends_nobody_else() -> None:
    class Hopeless(Told):
        def fail(self) -> None:
            raise RuntimeError("not even that")

    clock, bad, good = MediaClock(), Hopeless([], "bad", until=1), Told([], "good")
    clock.add(bad)
    clock.add(good)
    for tick in range(3):
        clock.send(tick, 0.0)
        clock.take_in(0.0)
    assert good.ticks == [0, 1, 2]


async def test_a_fault_of_the_clocks_own_is_told_where_it_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = MediaClock()
    clock.add(Told([], "a"))
    monkeypatch.setattr(clock, "take_in", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        async with asyncio.timeout(30):
            await clock.run()


async def test_who_comes_as_the_last_one_leaves_is_not_left_without_a_clock() -> None:
    """In the very turn of the loop in which the clock falls asleep."""
    clock, other = MediaClock(), Told([], "other")

    class Last(Told):
        def send(self, tick: int, now: float) -> None:
            super().send(tick, now)
            if len(self.ticks) == 3:
                clock.remove(self)
                asyncio.get_running_loop().call_soon(clock.add, other)

    clock.add(Last([], "last"))
    running = asyncio.create_task(clock.run())
    try:
        async with asyncio.timeout(30):
            while not other.ticks:  # noqa: ASYNC110 - a line tells nobody
                await asyncio.sleep(0.01)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
