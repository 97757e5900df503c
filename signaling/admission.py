"""Whether there is room for one more call, by what the machine can do. Sans I/O.

A call more is refused while those that live are late already: packets that leave too late are
gaps in what callers hear, and they come before the processors are wholly used. What is refused
was asked for; nothing is taken from calls that live.

Lateness refuses by itself. Busy processors refuse only together with lateness: they may be busy
with another's work, or with ours that can wait (a language model reads ahead), and as long as
packets leave in time nobody is harmed. But where nothing is left of them and packets begin to be
late, the next call is the one that makes all of them late, so that less is waited for.
"""

from __future__ import annotations

from typing import Literal

from inzwa_rtc.settings import LoadSettings

Change = Literal["began", "ended"]

_CALMER = 0.8  # of a threshold, at which it counts as left: loads waver
_RISING = 1 / 3  # of the lateness that refuses by itself; on a machine with time left it is 1 ms


class Admission:
    """One for all calls. Feed it at a steady interval."""

    def __init__(self, settings: LoadSettings) -> None:
        self._settings = settings
        self._has_room = True

    @property
    def has_room(self) -> bool:
        """Whether a new call would not harm those that live."""
        return self._has_room

    def feed(self, cpu_percent: float, late_ms: float) -> Change | None:
        """How much of the processors is used, and how late the latest packets left; tells
        whether calls begin to be refused, or no longer are."""
        had_room = self._has_room
        share = 1.0 if had_room else _CALMER
        most_late = self._settings.full_late_ms * share
        most_cpu = self._settings.full_cpu_percent
        is_busy = most_cpu < 100 and cpu_percent > most_cpu * share
        self._has_room = late_ms <= (most_late * _RISING if is_busy else most_late)
        if self._has_room == had_room:
            return None
        return "ended" if self._has_room else "began"
