"""Threads in which a recogniser decodes, and the load on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Workers:
    """Takes decodings in the order in which they are started."""

    def __init__(self, count: int) -> None:
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="decode")
        self._count = count
        self._busy = 0

    @property
    def is_one_free(self) -> bool:
        """Whether a decoding started now begins at once."""
        return self._busy < self._count

    @property
    def waiting(self) -> int:
        """How many decodings wait for a thread."""
        return max(0, self._busy - self._count)

    def start(self, decode: Callable[[], T]) -> asyncio.Future[T]:
        """Decode in a thread, once one is free. Cancelling drops it if it only waits yet:
        what runs, runs to its end, since no library here can be stopped within a window."""
        loop = asyncio.get_running_loop()
        future = self._threads.submit(decode)
        self._busy += 1
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._done))
        return asyncio.wrap_future(future)

    def close(self) -> None:
        """Wait for what is being decoded; what waits is dropped."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _done(self) -> None:
        self._busy -= 1
