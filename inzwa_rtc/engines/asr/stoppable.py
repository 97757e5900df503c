"""Threads whose decodings can be told that nobody waits for them any more."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from inzwa_rtc.engines.asr.decoding import Decoded
from inzwa_rtc.engines.asr.workers import Workers

Wanted: TypeAlias = Callable[[], bool]
"""Tells a decoding, in its thread, whether its result is still wanted."""

Stoppable: TypeAlias = Callable[[Wanted], Decoded]
"""A decoding that asks so between its steps, and returns anything at all once it is not."""


class StoppableWorkers:
    """`Workers` in which a decoding that is dropped ends with the step that it is at."""

    def __init__(self, count: int) -> None:
        self._workers = Workers(count)
        self._closing = threading.Event()

    @property
    def is_one_free(self) -> bool:
        """Whether a decoding started now begins at once."""
        return self._workers.is_one_free

    def start(self, decode: Callable[[], Stoppable]) -> asyncio.Future[Decoded]:
        """Decode in a thread, once one is free. Cancelling the result stops it."""
        return self._start(decode(), self._workers.start)

    def start_partial(self, decode: Callable[[], Stoppable]) -> asyncio.Future[Decoded]:
        """The same for a result that is given up, and cancelled, where a final one waits."""
        return self._start(decode(), self._workers.start_partial)

    def close(self) -> None:
        """Stop all decodings, and wait for the steps that they are at."""
        self._closing.set()
        self._workers.close()

    def _start(
        self,
        decode: Stoppable,
        start: Callable[[Callable[[], Decoded]], asyncio.Future[Decoded]],
    ) -> asyncio.Future[Decoded]:
        dropped = threading.Event()
        future = start(partial(decode, partial(self._is_wanted, dropped)))
        future.add_done_callback(lambda done: dropped.set() if done.cancelled() else None)
        return future

    def _is_wanted(self, dropped: threading.Event) -> bool:
        return not (dropped.is_set() or self._closing.is_set())
