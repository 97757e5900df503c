"""Owns what watches over the server: its load, its pulse, its users."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NoReturn

import structlog

log = structlog.get_logger(__name__)

Watch = Callable[[], Awaitable[NoReturn]]


@asynccontextmanager
async def watching(**watches: Watch) -> AsyncIterator[None]:
    """Keep these watches, named for the log, while the block runs. One that fails is logged, and
    no more is done of it: calls do not end for want of a figure."""
    tasks = [asyncio.create_task(_kept(name, watch)) for name, watch in watches.items()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _kept(name: str, watch: Watch) -> None:
    try:
        await watch()
    except Exception:  # whatever it is: the calls, and the other watches, go on without it
        log.exception("watch.ended", watch=name)
