"""Threads that compute: what waits for one when they close was not cancelled by its listener."""

from __future__ import annotations

import asyncio
import threading

import pytest

from inzwa_rtc.engines.tts.onnx.runtime import Stopped
from inzwa_rtc.engines.tts.onnx.threads import Threads

GUARD_S = 20.0


async def test_closing_ends_what_waits_and_what_comes_after_and_lets_the_rest_end() -> None:
    threads, begun, go_on = Threads("test"), threading.Semaphore(0), threading.Event()

    def work() -> str:
        begun.release()
        go_on.wait(GUARD_S)
        return "made"

    tasks = [asyncio.create_task(threads.run(work)) for _ in range(40)]
    async with asyncio.timeout(GUARD_S):
        for _ in range(32):
            await asyncio.to_thread(begun.acquire)
        closing = asyncio.create_task(asyncio.to_thread(threads.close))
        await asyncio.wait(tasks[32:])  # all of them, before a thread is free for one
        go_on.set()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        await closing
        assert ends[:32] == ["made"] * 32
        assert [type(end) for end in ends[32:]] == [Stopped] * 8
        with pytest.raises(Stopped):
            await threads.run(work)


async def test_what_a_work_raises_is_raised_and_a_listener_who_leaves_is_cancelled() -> None:
    threads, begun, go_on = Threads("test"), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait(GUARD_S)
        raise ValueError

    async with asyncio.timeout(GUARD_S):
        left = asyncio.create_task(threads.run(work))
        await asyncio.to_thread(begun.wait)
        left.cancel()
        await asyncio.wait({left})
        assert left.cancelled()
        go_on.set()
        with pytest.raises(ValueError):
            await threads.run(work)
        threads.close()
