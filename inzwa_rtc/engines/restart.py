"""When a child that ended is started again. No I/O, no clock: see `process` for the acts."""

from __future__ import annotations

STABLE_S = 30.0
FIRST_DELAY_S = 0.25
MAX_DELAY_S = 5.0


class RestartPolicy:
    """At once the first time, then after a delay that doubles: a child that cannot run
    must not eat the machine. One that ran well for `STABLE_S` has earned a fresh start."""

    def __init__(self) -> None:
        self._failures = 0

    def delay_after(self, ran_s: float) -> float:
        """Seconds to wait, now that a child ended which had been ready for `ran_s`
        seconds (0 if it never was)."""
        if ran_s >= STABLE_S:
            self._failures = 0
        self._failures += 1
        if self._failures == 1:
            return 0.0
        return min(MAX_DELAY_S, FIRST_DELAY_S * (1 << min(self._failures - 2, 10)))
