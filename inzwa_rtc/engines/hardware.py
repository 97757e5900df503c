"""What this machine gives an engine to compute with."""

from __future__ import annotations

import os


def cpus() -> int:
    """Processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
