"""A circuit breaker: an engine that keeps failing is left alone for a while. No I/O, no clock.

| state | requests it lets through | left for |
|---|---|---|
| closed | all | open, once failures outnumber successes by `failures` within `within_s` |
| open | none | half-open, after `open_s` |
| half-open | one, the probe | closed when it begins to be answered, open when it fails |

Each request carries the admission that it was let through with. What becomes of one that was
admitted before the state last changed says nothing about the state now, and is ignored.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal, NewType

BreakerState = Literal["closed", "open", "half-open"]

Admission = NewType("Admission", int)


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a breaker opens, and for how long."""

    failures: int = 3
    """One may be chance, two bad luck; each costs a caller some seconds of silence."""
    within_s: float = 60.0
    open_s: float = 15.0


class CircuitBreaker:
    """Fed with the time, in seconds of any clock that only goes forward."""

    def __init__(self, policy: BreakerPolicy | None = None) -> None:
        self._policy = policy or BreakerPolicy()
        self._failures: deque[float] = deque()
        self._opened_at: float | None = None
        self._is_probing = False
        self._changes = 0

    def state(self, now: float) -> BreakerState:
        """The state, were a request to come now."""
        if self._opened_at is None:
            return "closed"
        if self._is_probing or now >= self._opened_at + self._policy.open_s:
            return "half-open"
        return "open"

    def would_admit(self, now: float) -> bool:
        """Whether `admit` would let a request through."""
        return not self._is_probing and self.state(now) != "open"

    def admit(self, now: float) -> Admission | None:
        """Let a request through, or not (None). What becomes of it must be told."""
        if not self.would_admit(now):
            return None
        if self._opened_at is not None:
            self._is_probing = True
            self._changes += 1
        return Admission(self._changes)

    def began(self, admission: Admission) -> Admission:
        """The first part of its answer came, which is all that a probe is to show: nobody else
        need wait for its end. Gives the admission under which it goes on."""
        if admission == self._changes and self._is_probing:
            self._change(opened_at=None)
            return Admission(self._changes)
        return admission

    def succeeded(self, admission: Admission) -> Admission:
        """It was answered; gives the admission under which the rest of the answer goes on."""
        if admission == self._changes and not self._is_probing:
            if self._failures:
                self._failures.popleft()
            return admission
        return self.began(admission)

    def failed(self, admission: Admission, now: float) -> None:
        """It failed, and the engine is to blame."""
        if admission != self._changes:
            return
        if self._is_probing:
            self._change(opened_at=now)
            return
        self._failures.append(now)
        while self._failures[0] <= now - self._policy.within_s:
            self._failures.popleft()
        if len(self._failures) >= self._policy.failures:
            self._change(opened_at=now)

    def abandoned(self, admission: Admission) -> None:
        """Nobody waited for its end: it says nothing of the engine."""
        if admission == self._changes and self._is_probing:
            self._change(opened_at=self._opened_at)

    def _change(self, *, opened_at: float | None) -> None:
        self._opened_at = opened_at
        self._is_probing = False
        self._failures.clear()
        self._changes += 1
