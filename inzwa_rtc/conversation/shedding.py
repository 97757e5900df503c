"""What is left undone while the machine is busy. Sans I/O.

In this order: partial transcripts, which the engines shed by themselves (a partial decoding
starts only where a thread is free, and rests for as long as the last one took); then replies
are no longer prepared while the caller speaks, since the processor time that one call gains
by it is another one's to lose; then replies get shorter. New calls are refused before live
ones suffer (`signaling/admission.py`), and there are never more than `max_concurrent_sessions`.
"""

from __future__ import annotations

from typing import Literal

from inzwa_rtc.settings import LoadSettings

Change = Literal["began", "ended"]

_CALMER = 5.0  # percent below a threshold at which it counts as left: loads waver


class Shedding:
    """One for all calls. Feed it the machine's load at a steady interval."""

    def __init__(self, settings: LoadSettings) -> None:
        self._settings = settings
        self._share = 1.0
        self._is_shortening = False
        self._reads_ahead = True

    @property
    def reads_ahead(self) -> bool:
        """Whether there is time to prepare replies while callers still speak."""
        return self._reads_ahead

    def tokens(self, limit: int) -> int:
        """The limit of a reply now, of one that is `limit` at rest."""
        least = min(limit, self._settings.least_tokens)
        return max(least, int(limit * self._share))

    def feed(self, cpu_percent: float, memory_percent: float) -> Change | None:
        """The load now; tells whether replies begin to be shortened, or no longer are."""
        settings = self._settings
        self._reads_ahead = cpu_percent <= settings.read_ahead_cpu_percent
        self._share = min(
            share_left(cpu_percent, settings.cpu_percent),
            share_left(memory_percent, settings.memory_percent),
        )
        is_calm = (
            cpu_percent <= settings.cpu_percent - _CALMER
            and memory_percent <= settings.memory_percent - _CALMER
        )
        was_shortening = self._is_shortening
        self._is_shortening = self._share < 1 or (was_shortening and not is_calm)
        if self._is_shortening == was_shortening:
            return None
        return "began" if self._is_shortening else "ended"


def share_left(percent: float, threshold: float) -> float:
    """How much of what is above the threshold is still free: 1 at the threshold and below it,
    0 at 100 percent."""
    if percent <= threshold:
        return 1.0
    return max(0.0, (100 - percent) / (100 - threshold))
