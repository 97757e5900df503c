"""Requests that have engines work, so that a server that ends can let them finish."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from signaling import not_taken


class Underway:
    """Those of one server."""

    def __init__(self) -> None:
        self._count = 0
        self._is_draining = False
        self._empty = asyncio.Event()
        self._empty.set()

    @contextmanager
    def one(self) -> Iterator[None]:
        """One of them, for as long as the block runs. Raises `Unavailable` (`draining`)."""
        if self._is_draining:
            raise not_taken.draining()
        self._count += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._count -= 1
            if not self._count:
                self._empty.set()

    async def drain(self, limit_s: float) -> None:
        """Take no new ones, and wait for the others until `limit_s` is over."""
        self._is_draining = True
        try:
            async with asyncio.timeout(limit_s):
                await self._empty.wait()
        except TimeoutError:
            pass
