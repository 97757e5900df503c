"""How much memory this process holds on to."""

from __future__ import annotations

import ctypes
import gc

import psutil


def resident() -> int:
    """Bytes in memory, without what the C library keeps for later once it was freed: how much
    that is depends on what else has run here."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
    if trim:
        trim(0)
    return int(psutil.Process().memory_info().rss)
