"""How often somebody may do something: the generic cell rate algorithm (ITU-T I.371).

Of each one a single number is kept, the moment at which all that they have done would have been
due at the allowed rate; whoever is more than a minute ahead of it waits. So a whole minute's
share may come at once, and after that one at a time. Time is an argument, nothing expires by a
timer, and the number of those that are remembered is bounded.
"""

from __future__ import annotations

from collections import OrderedDict

WINDOW_S = 60.0

REMEMBERED = 10_000
"""Addresses and keys at a time, about 2 MB. Beyond it those are forgotten first who did nothing
for the longest: somebody who has so many addresses is not held by a rate of each."""

_ROUNDING_S = 1e-6


class Rate:
    """At most `per_minute` of something for each one; 0: any number."""

    def __init__(self, per_minute: int, remembered: int = REMEMBERED) -> None:
        self._interval = WINDOW_S / per_minute if per_minute else 0.0
        self._remembered = remembered
        self._due: OrderedDict[str, float] = OrderedDict()

    def take(self, who: str, now: float) -> float:
        """0 where it is allowed, which then counts; else the seconds until it will be."""
        wait = self.wait(who, now)
        if wait == 0 and self._interval:
            self._due[who] = max(self._due.pop(who, now), now) + self._interval
            self._forget(now)
        return wait

    def wait(self, who: str, now: float) -> float:
        """The seconds until it is allowed; nothing counts."""
        ahead = self._due.get(who, now) - now
        wait = ahead - (WINDOW_S - self._interval)
        return wait if wait > _ROUNDING_S else 0.0

    def __len__(self) -> int:
        return len(self._due)

    def _forget(self, now: float) -> None:
        oldest = next(iter(self._due))
        if self._due[oldest] <= now or len(self._due) > self._remembered:
            del self._due[oldest]
