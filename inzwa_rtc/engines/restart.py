"""When a child that ended is started again. No I/O, no clock: see `process` for the acts.

Callers are promised an engine that is back within five seconds of a crash or a hang,
however often that happens. A child that cannot live is another matter: starting it
over and over would eat the processors of those who talk with the other engines. One
that answered for `STEADY_S` seconds can live; all others fail quickly.
"""

from __future__ import annotations

STEADY_S = 1.0
FIRST_DELAY_S = 0.25
MAX_DELAY_S = 30.0


class RestartPolicy:
    """At once after a child that had been steady; after one that failed quickly too, but
    the second time in a row after `FIRST_DELAY_S`, then twice that, up to `MAX_DELAY_S`."""

    def __init__(self) -> None:
        self._quick_failures = 0

    def delay_after(self, answered_s: float) -> float:
        """Seconds to wait, now that a child is no more which had answered for `answered_s`
        seconds (0 if it never was ready)."""
        if answered_s >= STEADY_S:
            self._quick_failures = 0
            return 0.0
        self._quick_failures += 1
        if self._quick_failures == 1:
            return 0.0
        return min(MAX_DELAY_S, FIRST_DELAY_S * (1 << min(self._quick_failures - 2, 10)))
