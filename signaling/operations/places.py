"""Bounds how much is done at a time for requests beside calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from inzwa_rtc.errors import Unavailable

RETRY_AFTER_S = 2  # by then one of the short requests is over


class Places:
    """`at_once` have one, `waiting` more wait in order, all others are sent away.

    Calls need none: what requests take together stays the same, however many come.
    """

    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._most = at_once + waiting
        self._taken = 0

    @asynccontextmanager
    async def one(self) -> AsyncGenerator[None, None]:
        """A place for as long as the block runs. Raises `Unavailable` (`busy`)."""
        if self._taken >= self._most:
            raise Unavailable(
                "The server is busy with other requests.",
                action=f"Try again in {RETRY_AFTER_S} seconds.",
                code="busy",
                retry_after_s=RETRY_AFTER_S,
            )
        self._taken += 1
        try:
            async with self._free:
                yield
        finally:
            self._taken -= 1

    @asynccontextmanager
    async def later(self) -> AsyncGenerator[Callable[[], Awaitable[None]], None]:
        """What to await within the block once a place is needed; raises what `one` raises."""
        async with AsyncExitStack() as held:
            has_one = False

            async def take() -> None:
                nonlocal has_one
                if not has_one:
                    has_one = True
                    await held.enter_async_context(self.one())

            yield take
