"""Who is taken where there is no room, and when there is again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from inzwa_rtc.machine.load import LoadMeter, MachineLoad
from inzwa_rtc.transport.clock import MediaClock
from inzwa_rtc.transport.punctuality import Percentiles
from signaling.load import judge
from tests.signaling.test_resuming import away, break_off, refusal
from tests.signaling.test_socket import Socket, socket
from tests.support.caller import calling, make_offer
from tests.support.server import Serving, serving


async def test_a_full_server_says_when_to_try_again_and_takes_the_next_call_after() -> None:
    async with serving(max_concurrent_sessions=1) as server:
        async with calling(server.url) as caller, aiohttp.ClientSession() as http:
            pc, offer = await make_offer()
            async with http.post(f"{server.url}/v1/calls", json={"sdp": offer}) as response:
                assert response.status == 503
                assert int(response.headers["Retry-After"]) > 0
                assert (await response.json())["code"] == "server_full"
            await pc.close()
            caller.send(type="stop")
            await caller.told("session.ended")
        async with asyncio.timeout(10):
            await server.calls.all_ended()
        async with calling(server.url):
            pass


async def refused(url: str) -> str:
    """The code with which a call over WebRTC is refused for a while."""
    pc, offer = await make_offer()
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{url}/v1/calls", json={"sdp": offer}) as response,
    ):
        assert response.status == 503
        assert int(response.headers["Retry-After"]) > 0
        code: str = (await response.json())["code"]
    await pc.close()
    return code


async def refused_dictation(url: str) -> tuple[str, int | None]:
    """The code of the error that one who would dictate is told, and of the close."""
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{url}/ws/stt") as ws:
        error = await ws.receive_json(timeout=20)
        await ws.receive(timeout=20)
        return error["code"], ws.close_code


@asynccontextmanager
async def on_the_phone(url: str) -> AsyncIterator[Socket]:
    """Somebody who calls, and whose call could be harmed."""
    async with socket(url) as client:
        await client.send(type="start")
        await client.told("session.started")
        yield client


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Callable[[Serving, float, float], None]:
    """Has a server measure this: how late packets leave, how busy the processors are."""

    def measured(server: Serving, late_ms: float, cpu_percent: float) -> None:
        load = MachineLoad(cpu_percent, 10)
        monkeypatch.setattr(MediaClock, "lateness", Percentiles(0, late_ms))
        monkeypatch.setattr(LoadMeter, "read", lambda _: load)
        judge(server.calls.media, load)

    return measured


Measured = Callable[[Serving, float, float], None]
QUIET: dict[str, Any] = {"call": {"greeting": ""}, "load": {}}


async def test_who_calls_while_packets_leave_late_is_told_when_to_try_again() -> None:
    # No packet ever leaves so early.
    never_early = {"full_cpu_percent": 100.0, "full_late_ms": 1e-6}
    async with serving(call={"greeting": ""}, load=never_early) as server:
        async with calling(server.url) as caller:
            while server.calls.media.admission.has_room:  # noqa: ASYNC110 - a load is no event
                await asyncio.sleep(0.05)
            assert await refused(server.url) == "server_busy"
            caller.send(type="stop")
            await caller.told("session.ended")
        await server.calls.all_ended()
        # Nobody is left to be harmed, however late the last one was.
        async with calling(server.url):
            pass


async def test_a_late_server_refuses_calls_on_every_way_in_and_harms_none_that_live(
    measured: Measured,
) -> None:
    async with serving(**QUIET) as server, on_the_phone(server.url) as first:
        measured(server, 31, 0)
        assert await refused(server.url) == "server_busy"
        assert await refusal(server.url, type="start") == ("server_busy", 1013)
        assert await refused_dictation(server.url) == ("server_busy", 1013)
        assert len(server.calls) == 1 and not first.ws.closed
        measured(server, 24, 0)
        async with on_the_phone(server.url):
            assert len(server.calls) == 2


async def test_busy_processors_refuse_only_where_packets_begin_to_be_late(
    measured: Measured,
) -> None:
    async with serving(**QUIET) as server, on_the_phone(server.url):
        measured(server, 3, 100)
        async with on_the_phone(server.url):
            measured(server, 11, 100)
            assert await refusal(server.url, type="start") == ("server_busy", 1013)
            measured(server, 11, 50)
            async with on_the_phone(server.url):
                pass


async def test_a_caller_who_is_away_is_not_protected_from_those_who_call(
    measured: Measured,
) -> None:
    async with serving(**QUIET) as server:
        async with on_the_phone(server.url) as lost:
            measured(server, 500, 100)
            await break_off(lost)
        await away(server)
        async with on_the_phone(server.url):
            assert len(server.calls) == 2
            assert await refusal(server.url, type="start") == ("server_busy", 1013)
