"""How late the packets of the last seconds left, by the time they were due. Sans I/O.

What counts is the time that went by, not the work that was done in it: a tick that a stall has
taken is as late as the stall was long when it should have come, though nothing left at it. A
server that is so busy that it skips nine ticks of ten would else look punctual by the tenth.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from inzwa_rtc.audio.frame import FRAME_MS

WATCHED_TICKS = 10_000 // FRAME_MS  # 10 s: long enough for a 99th percentile
TICK_S = FRAME_MS / 1000


@dataclass(frozen=True, slots=True)
class Percentiles:
    """By how many milliseconds the last packet of a tick left after it was due."""

    p50_ms: float
    p99_ms: float


class Punctuality:
    """Of the last 10 s of ticks. Before the first they were punctual: what is judged is always a
    whole window, so that one hiccup of a young one is no more than it is of an old one."""

    def __init__(self) -> None:
        self._late_s: deque[float] = deque(maxlen=WATCHED_TICKS)
        self._next = 0
        self.begin()

    def begin(self) -> None:
        """The clock starts anew, from tick 0; what was before no longer counts."""
        self._late_s.extend([0.0] * WATCHED_TICKS)
        self._next = 0

    def note(self, tick: int, late_s: float) -> None:
        """The packets of this tick left so long after they were due. Those between it and the
        one before it were skipped."""
        skipped = range(tick - self._next, 0, -1)[-WATCHED_TICKS:]
        self._late_s.extend(late_s + ticks * TICK_S for ticks in skipped)
        self._late_s.append(late_s)
        self._next = tick + 1

    def rest(self, ticks: int) -> None:
        """Nothing was due at so many: they were left out on purpose."""
        self._late_s.extend([0.0] * min(ticks, WATCHED_TICKS))
        self._next += ticks

    @property
    def lateness(self) -> Percentiles:
        """The percentiles: no more than so many in a hundred were later (nearest rank)."""
        late = sorted(self._late_s)
        p50, p99 = (late[math.ceil(len(late) * percent / 100) - 1] for percent in (50, 99))
        return Percentiles(p50 * 1000, p99 * 1000)
