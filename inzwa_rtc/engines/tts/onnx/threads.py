"""The threads in which one engine's requests compute."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from inzwa_rtc.engines.tts.onnx.runtime import Stopped

_AT_ONCE = 32  # each idle but while a run of its request is under way

_Made = TypeVar("_Made")


class Threads:
    """Runs what blocks, for as many requests at once as there are threads."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix=name)

    async def run(self, work: Callable[[], _Made]) -> _Made:
        """What `work` makes. Raises `Stopped` where the threads are closed before it began."""
        try:
            working = asyncio.get_running_loop().run_in_executor(self._pool, work)
        except RuntimeError:  # they were shut down
            raise Stopped from None
        try:
            await asyncio.wait({working})
        finally:
            if not working.cancel() and not working.cancelled():
                working.exception()  # seen, should the listener have left in this very moment
        # What waited for a thread when they closed; whoever asked for it was not cancelled.
        if working.cancelled():
            raise Stopped
        return working.result()

    def close(self) -> None:
        """Wait for what is under way; nothing else is begun."""
        self._pool.shutdown(wait=True, cancel_futures=True)
