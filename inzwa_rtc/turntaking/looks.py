"""At which ticks an ear listens to whom: each look at a call costs, the first most of all.

Eight ticks of 20 ms are five windows of 32 ms, if the first frame of the eight begins a window. So
a window is whole at five of them; at the other three a frame counts only by adding to the voice
before it. Who is listened to less often is listened to at some of the same five, so that calls go
together whatever their haste.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import Final

from inzwa_rtc.audio.frame import frame_bytes
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE, Haste

CYCLE: Final = 8
_LOOKS: Final = {
    Haste.EACH_FRAME: range(CYCLE),
    Haste.EACH_WINDOW: (1, 3, 4, 6, 7),
    Haste.EACH_SOUND: (1, 3, 4, 6, 7),
    Haste.SOON: (1, 4, 7),
    Haste.IN_TIME: (7,),
}
_BEFORE: Final = {
    haste: tuple(accumulate((int(tick in ticks) for tick in range(CYCLE)), initial=0))
    for haste, ticks in _LOOKS.items()
}
"""How many looks there are in a cycle before each of its ticks."""

_TOGETHER: Final = 8
"""Calls that have their cycle at the same time. With more, what all of them have saved up for
160 ms would make a tick late."""
_BEGINS: Final = (0, 3, 6, 1, 4, 7, 2, 5)  # far from each other


class Cycle:
    """One call's ticks: a cycle begins at tick `begins` and each eighth after it."""

    def __init__(self, begins: int, tick: int) -> None:
        self.begins = begins
        self._looked_until = tick + 1 - begins

    def is_due(self, tick: int, haste: Haste) -> bool:
        """Whether to look now: at such a tick, or one that was passed over since the last look."""
        behind = tick + 1 - self.begins
        return _looks_before(behind, haste) > _looks_before(self._looked_until, haste)

    def looked(self, tick: int) -> None:
        """It was looked at."""
        self._looked_until = tick + 1 - self.begins

    def rests(self, tick: int) -> int:
        """At how many ticks behind this one nobody looks who is in no haste."""
        return CYCLE - 1 - (tick + 1 - self.begins) % CYCLE

    def bytes_by(self, tick: int) -> int:
        """How much sound comes from the begin of the cycle to the end of this tick."""
        return ((tick - self.begins) % CYCLE + 1) * frame_bytes(ASR_SAMPLE_RATE)


def begin_beside(others: Iterable[Cycle]) -> int:
    """Where the cycle of one more call begins: with others, as long as they are few."""
    calls = dict.fromkeys(_BEGINS, 0)
    for other in others:
        calls[other.begins] += 1
    for begins, number in calls.items():
        if number < _TOGETHER:
            return begins
    return min(calls, key=lambda begins: calls[begins])


def _looks_before(tick: int, haste: Haste) -> int:
    cycles, rest = divmod(tick, CYCLE)
    return cycles * _BEFORE[haste][CYCLE] + _BEFORE[haste][rest]
