"""A media clock that runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from inzwa_rtc.transport.clock import MediaClock


@asynccontextmanager
async def ticking() -> AsyncIterator[MediaClock]:
    """One that runs while the block does."""
    clock = MediaClock()
    running = asyncio.create_task(clock.run())
    try:
        yield clock
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
