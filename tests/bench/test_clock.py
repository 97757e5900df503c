"""One clock has all callers speak, a quarter of them at a time, and knows how late it is."""

from __future__ import annotations

import asyncio

import pytest

from inzwa_rtc.bench.clock import PHASES, SendClock


class Counting:
    """Sends nothing, and ends the wait once it has spoken often enough."""

    def __init__(self, enough: int = 1) -> None:
        self.times: list[float] = []
        self.done = asyncio.Event()
        self._enough = enough

    def speak(self, now: float) -> None:
        self.times.append(now)
        if len(self.times) >= self._enough:
            self.done.set()


async def ticked(clock: SendClock, *speakers: Counting) -> None:
    ticking = asyncio.create_task(clock.run())
    async with asyncio.timeout(30):
        for speaker in speakers:
            await speaker.done.wait()
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)


async def test_every_caller_speaks_and_no_two_neighbours_at_the_same_tick() -> None:
    clock, speakers = SendClock(), [Counting(3) for _ in range(PHASES)]
    for speaker in speakers:
        clock.add(speaker)
    await ticked(clock, *speakers)
    firsts = [speaker.times[0] for speaker in speakers]
    assert firsts == sorted(firsts)
    assert len(set(firsts)) == PHASES


async def test_it_is_never_early_and_tells_how_late_it_was() -> None:
    clock, speaker = SendClock(), Counting(5)
    clock.add(speaker)
    await ticked(clock, speaker)
    assert len(clock.lateness_ms) >= 5
    assert min(clock.lateness_ms) >= 0
    assert clock.late_ms(100) == pytest.approx(max(clock.lateness_ms))
    clock.reset()
    assert clock.late_ms() == 0.0


async def test_who_was_removed_speaks_no_more() -> None:
    clock, gone, there = SendClock(), Counting(), Counting(3)
    clock.add(gone)
    clock.add(there)
    clock.remove(gone)
    await ticked(clock, there)
    assert gone.times == []
