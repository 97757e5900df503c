"""Who is taken where there is no room, and when there is again."""

from __future__ import annotations

import asyncio

import aiohttp

from tests.support.caller import calling, make_offer
from tests.support.server import serving


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


async def test_who_calls_while_another_call_is_late_is_told_when_to_try_again() -> None:
    # No packet ever leaves so early.
    never_early = {"full_cpu_percent": 100.0, "full_late_ms": 1e-6}
    async with serving(call={"greeting": ""}, load=never_early) as server:
        async with calling(server.url) as caller:
            while server.calls.media.admission.has_room:  # noqa: ASYNC110 - a load is no event
                await asyncio.sleep(0.05)
            pc, offer = await make_offer()
            async with (
                aiohttp.ClientSession() as http,
                http.post(f"{server.url}/v1/calls", json={"sdp": offer}) as response,
            ):
                assert response.status == 503
                assert int(response.headers["Retry-After"]) > 0
                assert (await response.json())["code"] == "server_full"
            await pc.close()
            caller.send(type="stop")
            await caller.told("session.ended")
        await server.calls.all_ended()
        # Nobody is left to be harmed, however late the last one was.
        async with calling(server.url):
            pass
