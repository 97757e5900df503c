"""Whether a connection is still worth keeping. Times come in as arguments, in seconds of any one
clock, so that it can be tested without waiting.

    set-up      must be done within `setup_s`
    connected   something authentic must come every `silence_s`
"""

from __future__ import annotations


class Watchdog:
    """For one connection, begun at `now`."""

    def __init__(self, setup_s: float, silence_s: float, now: float) -> None:
        self._silence_s = silence_s
        self._until = now + setup_s

    def heard(self, at: float) -> None:
        """Something came at this time that only the other side can have sent."""
        self._until = max(self._until, at + self._silence_s)

    def connected(self, now: float) -> None:
        """The connection stands: from now on it is silence that counts."""
        self._until = now + self._silence_s

    def left(self, now: float) -> float:
        """So many seconds are left, if nothing comes; none once it is to be given up."""
        return max(0.0, self._until - now)
