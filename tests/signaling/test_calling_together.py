"""Many who call at the same moment are all connected, whichever of their paths is found first."""

from __future__ import annotations

import asyncio

import aiohttp

from tests.support.caller import Caller
from tests.support.server import serving

CALLERS = 24


async def test_all_who_call_at_the_same_moment_are_connected() -> None:
    """On a machine with IPv4 and IPv6 the two ends often find their paths in another order."""
    async with serving() as server, aiohttp.ClientSession() as http:
        callers = [Caller(http, server.url) for _ in range(CALLERS)]
        try:
            await asyncio.gather(*(caller.connect() for caller in callers))
            await asyncio.gather(*(caller.told("session.started") for caller in callers))
        finally:
            await asyncio.gather(*(caller.close() for caller in callers))
