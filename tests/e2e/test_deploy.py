"""SIGTERM: no new calls, live ones finish, and no process is left behind."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import psutil
import pytest

from tests.support.caller import Caller, calling
from tests.support.process import served

CALLS = 6


@pytest.mark.parametrize("attempt", range(3))
async def test_live_calls_finish_after_sigterm_and_nothing_is_left(attempt: int) -> None:
    async with AsyncExitStack() as stack:
        server, port = await stack.enter_async_context(served(INZWA_TIMEOUTS__DRAIN="60"))
        url = f"http://127.0.0.1:{port}"
        children = psutil.Process(server.pid).children(recursive=True)
        assert len(children) == 3
        callers = [await stack.enter_async_context(calling(url)) for _ in range(CALLS)]
        server.terminate()
        await _is_refusing(url)
        await asyncio.gather(*(_ask_and_leave(caller) for caller in callers))
        async with asyncio.timeout(20):
            assert await server.wait() == 0
        assert not [child for child in children if child.is_running()]


@pytest.mark.parametrize("signals", [1, 2])
async def test_calls_that_do_not_end_are_ended_at_the_limit_or_by_a_second_signal(
    signals: int,
) -> None:
    limit = "0.5" if signals == 1 else "3600"
    async with AsyncExitStack() as stack:
        server, port = await stack.enter_async_context(served(INZWA_TIMEOUTS__DRAIN=limit))
        url = f"http://127.0.0.1:{port}"
        children = psutil.Process(server.pid).children(recursive=True)
        caller = await stack.enter_async_context(calling(url))
        server.terminate()
        await _is_refusing(url)
        if signals == 2:
            await asyncio.sleep(1.1)  # a repeat within a second is the same request
            server.terminate()
        assert (await caller.told("session.ended"))["reason"] == "shutdown"
        async with asyncio.timeout(20):
            assert await server.wait() == 0
        assert not [child for child in children if child.is_running()]


async def test_a_killed_server_takes_its_engines_with_it() -> None:
    async with served() as (server, _):
        children = psutil.Process(server.pid).children(recursive=True)
        server.kill()
        await server.wait()
        gone, alive = await asyncio.to_thread(psutil.wait_procs, children, 10)
        assert (len(gone), alive) == (3, [])


async def _is_refusing(url: str) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(10):
        while True:
            async with http.get(f"{url}/readyz") as response:
                if response.status == 503:
                    break
        async with http.ws_connect(f"{url}/v1/ws") as ws:
            await ws.send_str('{"type":"start"}')
            error: dict[str, Any] = json.loads((await ws.receive()).data)
            assert error["code"] == "draining"
        async with http.post(
            f"{url}/v1/calls", data="v=0", headers={"Content-Type": "application/sdp"}
        ) as response:
            assert response.status == 503
            assert int(response.headers["Retry-After"]) > 0


async def _ask_and_leave(caller: Caller) -> None:
    caller.send(type="text", text="what is seven times eight")
    final = await caller.told("llm.final", lambda event: event["turn"] == 1)
    assert "56" in final["text"]
    await caller.told("tts.end", lambda event: event["turn"] == 1)
    caller.send(type="stop")
    assert (await caller.told("session.ended"))["reason"] == "caller"
