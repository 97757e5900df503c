"""When nobody calls any more, what calls held is given back, and not before."""

from __future__ import annotations

import asyncio
import gc
import weakref

import aiohttp
import pytest

from inzwa_rtc.machine import memory
from signaling import tidying
from tests.support.server import Serving, serving

GUARD_S = 30


class Ring:
    """Holds itself, so that only a collection ends it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
async def given_back(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set when memory is given back, at once after the last call. Nothing else collects."""
    given_back = asyncio.Event()
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(tidying, "REST_S", 0.0)
    monkeypatch.setattr(memory, "give_back", lambda: loop.call_soon_threadsafe(given_back.set))
    return given_back


async def _end(ws: aiohttp.ClientWebSocketResponse) -> None:
    await ws.send_json({"type": "stop"})
    async for _message in ws:
        pass


async def _ended(server: Serving, left: int) -> None:
    while len(server.calls) > left:  # noqa: ASYNC110 - nothing tells of one call's end
        await asyncio.sleep(0.01)
    for _ in range(10):  # turns of the loop in which a watch would have acted
        await asyncio.sleep(0)


async def test_memory_is_given_back_each_time_that_the_last_call_has_ended(
    given_back: asyncio.Event,
) -> None:
    async with asyncio.timeout(GUARD_S), serving() as server, aiohttp.ClientSession() as http:
        for _ in range(2):
            async with http.ws_connect(f"{server.url}/v1/ws") as first:
                await first.send_json({"type": "start"})
                await first.receive_json()
                async with http.ws_connect(f"{server.url}/v1/ws") as second:
                    await second.send_json({"type": "start"})
                    await second.receive_json()
                    await _end(second)
                await _ended(server, 1)
                gc.disable()
                try:
                    garbage = weakref.ref(Ring())
                    assert garbage() is not None
                    assert not given_back.is_set()
                    await _end(first)
                    await given_back.wait()
                    assert garbage() is None
                finally:
                    gc.enable()
            given_back.clear()


class Returning:
    """In the place of calls, of which one has begun again by the end of the first rest."""

    def __init__(self) -> None:
        self.looks = 0

    async def any_begun(self) -> None:
        pass

    async def all_ended(self) -> None:
        pass

    def __len__(self) -> int:
        self.looks += 1
        return 1 if self.looks == 1 else 0


async def test_who_calls_again_at_once_is_not_disturbed(given_back: asyncio.Event) -> None:
    calls = Returning()
    watch = asyncio.create_task(tidying.tidy(calls))  # type: ignore[arg-type]
    async with asyncio.timeout(GUARD_S):
        await given_back.wait()
    watch.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watch
    assert calls.looks > 1
