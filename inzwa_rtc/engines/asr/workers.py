"""Threads in which a recogniser decodes, and the load on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


class Workers:
    """Takes decodings in the order in which they are started.

    Partial ones give way: a final one for which no thread is free has the newest of them
    cancelled, with which the least work is lost.
    """

    def __init__(self, count: int) -> None:
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="decode")
        self._count = count
        self._started: dict[asyncio.Future[Any], bool] = {}
        """Those that run, or wait for a thread, and whether they are partial. One that was
        cancelled is there until its thread has ended it."""

    @property
    def is_one_free(self) -> bool:
        """Whether a decoding started now begins at once."""
        return len(self._started) < self._count

    def start(self, decode: Callable[[], T]) -> asyncio.Future[T]:
        """Decode in a thread, once one is free. Cancelling drops it if it only waits yet; one
        that runs ends when `decode` returns."""
        wanted = [waiting for waiting in self._started if not waiting.cancelled()]
        if len(wanted) >= self._count:
            self._give_way()
        return self._submit(decode, is_partial=False)

    def start_partial(self, decode: Callable[[], T]) -> asyncio.Future[T]:
        """The same for a result that others can do without."""
        return self._submit(decode, is_partial=True)

    def close(self) -> None:
        """Wait for what is being decoded; what waits is dropped."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _submit(self, decode: Callable[[], T], *, is_partial: bool) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        future = self._threads.submit(decode)
        waiting = asyncio.wrap_future(future)
        self._started[waiting] = is_partial

        def ended(_: Future[T]) -> None:
            with suppress(RuntimeError):  # the loop has ended before the thread did
                loop.call_soon_threadsafe(self._started.pop, waiting, None)

        future.add_done_callback(ended)
        return waiting

    def _give_way(self) -> None:
        for waiting, is_partial in reversed(self._started.items()):
            if is_partial and not waiting.done():
                waiting.cancel()
                return
