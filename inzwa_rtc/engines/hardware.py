"""What this machine gives an engine to compute with."""

from __future__ import annotations

from inzwa_rtc.machine.processors import usable_processors


def cpus() -> int:
    """Whole processors that this process may use: more threads would only wait."""
    return max(1, int(usable_processors()))
