"""SIGTERM: no new calls, live ones finish unharmed, and no process is left behind.

Gaps in time are `benchmarks/deploy.py`'s to measure; here it counts that nothing is missing.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import psutil
import pytest

from tests.support.caller import Caller, calling
from tests.support.plugin import Plugin
from tests.support.process import served
from tests.support.sound import assert_heard
from tests.support.voice import Samples

pytestmark = pytest.mark.timeout(300)

CALLS = 6
NO_GREETING = {"INZWA_CALL": '{"greeting": ""}'}
RTP_FRAME = 960  # 20 ms on Opus' clock


async def test_calls_that_speak_at_sigterm_finish_what_they_say_and_are_answered_again(
    plugin: Plugin,
) -> None:
    """Each caller hears both answers whole, the one that SIGTERM came into and a later one."""
    drain = {"INZWA_TIMEOUTS__DRAIN": "300"}
    async with AsyncExitStack() as stack:
        server, port = await stack.enter_async_context(
            served(**drain, **NO_GREETING, **plugin.environment("tts"))
        )
        url = f"http://127.0.0.1:{port}"
        children = psutil.Process(server.pid).children(recursive=True)
        assert len(children) == 3
        callers = [await stack.enter_async_context(calling(url)) for _ in range(CALLS)]
        for number, caller in enumerate(callers, 3):  # no two hear the same
            caller.send(type="text", text=f"count from {number} to {number + 9}")
        for caller in callers:
            await caller.told("caption")
        server.terminate()
        await _is_refusing(url)
        answers = await asyncio.gather(*map(_hear_ask_and_leave, callers, itertools.count(3)))
        async with asyncio.timeout(60):
            assert await server.wait() == 0
        assert not [child for child in children if child.is_running()]
    for caller in callers:
        _assert_no_packet_is_missing(caller)
    for text, heard in itertools.chain(*answers):
        assert_heard(plugin.said(text), heard)


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
        if signals == 2:
            await _is_refusing(url)
            await asyncio.sleep(1.1)  # a repeat within a second is the same request
            server.terminate()
        assert (await caller.told("session.ended"))["reason"] == "shutdown"
        async with asyncio.timeout(60):
            assert await server.wait() == 0
        assert not [child for child in children if child.is_running()]


async def test_a_killed_server_takes_its_engines_with_it() -> None:
    async with served() as (server, _):
        children = psutil.Process(server.pid).children(recursive=True)
        server.kill()
        await server.wait()
        gone, alive = await asyncio.to_thread(psutil.wait_procs, children, 60)
        assert (len(gone), alive) == (3, [])


async def _is_refusing(url: str) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(60):
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


async def _hear_ask_and_leave(caller: Caller, number: int) -> list[tuple[str, Samples]]:
    """Both answers: what was to be said, and what was heard."""
    counted = await _answer(caller, after=-1)
    caller.send(type="text", text=f"what is seven times {number}")
    product = await _answer(caller, after=counted[0])
    assert str(7 * number) in product[1]
    caller.send(type="stop")
    assert (await caller.told("session.ended"))["reason"] == "caller"
    return [counted[1:], product[1:]]


async def _answer(caller: Caller, *, after: int) -> tuple[int, str, Samples]:
    """The next answer's turn, text and sound."""
    final = await caller.told("llm.final", lambda event: event["turn"] > after)
    return final["turn"], final["text"], await caller.answer(final["turn"])


def _assert_no_packet_is_missing(caller: Caller) -> None:
    """Every packet came, in order, and none repeats the time of another."""
    for (number, time), (next_number, next_time) in itertools.pairwise(caller.packets):
        assert next_number == (number + 1) % 2**16
        ticks = (next_time - time) % 2**32
        assert ticks % RTP_FRAME == 0 and 0 < ticks < 2**31, ticks
