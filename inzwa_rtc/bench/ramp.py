"""How many calls a server holds: more and more of them, until one thing gives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import numpy as np

from inzwa_rtc.bench.clock import LATE_MS
from inzwa_rtc.bench.door import NoCall, Refused
from inzwa_rtc.bench.fleet import Fleet, Watched

_ANSWER_EVERY_S = 40.0  # a caller's course takes a quarter of that, and begins anywhere in it

_TRIES = 2
_EXACT = 20  # the end is found to a part in so many
_LONGEST_WAIT_S = 10.0  # for a server that asks to be tried again later


@dataclass(frozen=True, slots=True)
class Limits:
    """What callers can bear: each bound is in milliseconds, and for nearly all packets
    (`outbound_ms`, 99th percentile: what a jitter buffer hides) or answers (`response_ms`, 95th,
    the endpointing silence included; None: any)."""

    outbound_ms: float = 40.0
    response_ms: float | None = None
    own_late_ms: float = LATE_MS
    """The callers' own lateness (99th percentile), above which nothing is known of the server."""

    def broken_by(self, seen: Watched) -> str:
        """Which of them is; empty where all are kept."""
        if seen.lost:
            return f"{seen.lost} calls lost their connection"
        if seen.unanswered:
            return f"{seen.unanswered} questions were not answered"
        if not len(seen.late_ms):
            return "nothing was heard"
        if (late := seen.outbound_ms()) > self.outbound_ms:
            return f"packets come up to {late:.0f} ms late"
        overdue = [ms for ms in seen.waits_ms if ms > (self.response_ms or np.inf)]
        if not seen.responses_ms and not overdue:
            expects = seen.calls * seen.seconds >= _ANSWER_EVERY_S
            return "no question was answered" if expects else ""
        if self.response_ms is None:
            return ""
        # An answer that is awaited for longer than it may take is late, however late it will be.
        slow = float(np.percentile([*seen.responses_ms, *overdue], 95))
        return f"answers take {slow:.0f} ms" if slow > self.response_ms else ""


@dataclass(frozen=True, slots=True)
class Step:
    """What so many calls came to: `seen` is None where not all could be placed, `broken` says
    what gave, empty where the server held them. In a void step the callers' own lateness hides
    what the server did."""

    calls: int
    seen: Watched | None
    broken: str = ""
    is_void: bool = False

    @property
    def is_held(self) -> bool:
        """Whether the server bore them, as far as can be told."""
        return self.seen is not None and not self.broken and not self.is_void


def judged(seen: Watched, limits: Limits) -> Step:
    """Whether the server held what was seen."""
    if seen.own_late_ms > limits.own_late_ms:
        return Step(seen.calls, seen, is_void=True)
    return Step(seen.calls, seen, limits.broken_by(seen))


def following(count: int) -> int:
    """The next number of calls to try: a fifth more, one at least."""
    return count + max(1, count // 5)


async def ramp(
    fleet: Fleet,
    limits: Limits,
    *,
    start: int,
    most: int,
    settle_s: float,
    seconds: float,
    grown: Callable[[int], int] = following,
) -> AsyncIterator[Step]:
    """Place `start` calls, watch them, place more, up to `most`, until so many are not held; then
    look for the end between the last two numbers, to a twentieth. What is not held is watched
    once more, for a machine has bad moments. Raises what keeps even one call from coming about,
    and `NotLetIn` at any number: that is no limit of what the server can do."""
    held, over, count = 0, most + 1, start
    while True:
        is_held = False
        async for step in _tried(fleet, limits, count, settle_s, seconds):
            yield step
            is_held = step.is_held
        if is_held:
            held = count
        else:
            over = count
        if held >= most or (over <= most and over - held <= max(1, held // _EXACT)):
            return
        count = min(most, grown(count)) if over > most else (held + over) // 2


async def _tried(
    fleet: Fleet, limits: Limits, count: int, settle_s: float, seconds: float
) -> AsyncIterator[Step]:
    """So many calls, until they are held, or not for the second time."""
    await fleet.shrink(count)
    why_not = ""
    for _ in range(_TRIES):
        try:
            await fleet.grow(count)
        except Refused as error:
            if not fleet.set_ups.connected_ms:
                raise
            why_not = error.message
            await fleet.settle(min(error.retry_after_s, _LONGEST_WAIT_S))
        except NoCall as error:
            if not fleet.set_ups.connected_ms:
                raise
            yield Step(count, None, error.message)
            return
        else:
            break
    else:
        yield Step(count, None, why_not)
        return
    await fleet.settle(settle_s)
    for _ in range(_TRIES):
        step = judged(await fleet.watch(seconds), limits)
        yield step
        if step.is_held:
            return


def capacity(steps: list[Step]) -> Step | None:
    """The largest step that was held, None where none was."""
    return max((step for step in steps if step.is_held), key=lambda step: step.calls, default=None)


def end_of(steps: list[Step]) -> Step | None:
    """The smallest step above those that were held, if it was the server that did not hold it;
    else None: it holds at least as many."""
    held = capacity(steps)
    over = [step for step in steps if held is None or step.calls > held.calls]
    least = min((step.calls for step in over), default=0)
    return next((step for step in over if step.calls == least and step.broken), None)
