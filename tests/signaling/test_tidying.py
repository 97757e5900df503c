"""When nobody calls any more, what calls held is given back, and not before."""

from __future__ import annotations

import asyncio
import weakref

import aiohttp
import pytest

from signaling import tidying
from tests.support.server import serving

GUARD_S = 30


class Ring:
    """Holds itself, so that only a collection ends it."""

    def __init__(self) -> None:
        self.itself = self


async def test_memory_is_given_back_each_time_that_the_last_call_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given_back = asyncio.Event()
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(
        tidying, "give_back", lambda: loop.call_soon_threadsafe(given_back.set) and None
    )
    async with asyncio.timeout(GUARD_S), serving() as server, aiohttp.ClientSession() as http:
        for _ in range(2):
            async with http.ws_connect(f"{server.url}/v1/ws") as first:
                await first.send_json({"type": "start"})
                await first.receive_json()
                async with http.ws_connect(f"{server.url}/v1/ws") as second:
                    await second.send_json({"type": "start"})
                    await second.receive_json()
                    await second.send_json({"type": "stop"})
                    async for _message in second:
                        pass
                assert len(server.calls) == 1
                garbage = weakref.ref(Ring())
                assert not given_back.is_set()
                await first.send_json({"type": "stop"})
                async for _message in first:
                    pass
            await given_back.wait()
            assert garbage() is None
            given_back.clear()


def test_to_give_back_what_is_free_harms_nothing() -> None:
    held = [bytes(100_000) for _ in range(100)]
    del held[::2]
    tidying.give_back()
    assert all(len(one) == 100_000 for one in held)
