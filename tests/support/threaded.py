"""A server on a loop of its own, for clients that block."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, contextmanager

from tests.support.server import Serving


@contextmanager
def in_a_thread(server: AbstractAsyncContextManager[Serving]) -> Iterator[Serving]:
    """The server runs while the block does."""
    started: Future[Serving] = Future()
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def run() -> None:
        try:
            async with server as serving:
                started.set_result(serving)
                await over.wait()
        except BaseException as error:
            if not started.done():
                started.set_exception(error)
            raise

    def work() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(run())

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield started.result(30)
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
