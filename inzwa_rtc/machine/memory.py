"""Memory that the C library keeps after it was freed."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Return it to the machine, where the C library can (glibc). Takes some milliseconds,
    for which whoever needs memory of the arena that is trimmed waits."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
        if trim is not None:
            trim(0)
