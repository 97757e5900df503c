"""A soak counts calls that were answered, on the operator's settings."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from benchmarks.soak import joined, over_socket


def test_settings_keep_what_a_soak_does_not_change() -> None:
    told = joined({"port": 1, "timeouts": {"first_token": 9}, "access": None})
    assert told["port"] == 1
    assert told["timeouts"] == {"first_token": 9, "network_silence": 10}
    assert told["access"]["calls_per_minute"] == 0


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """A server that says the call has begun, and ends it."""

    async def call(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.send_json({"type": "session.started"})
        await ws.close(code=1013)
        return ws

    app = web.Application()
    app.router.add_get("/v1/ws", call)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    yield f"http://{host}:{port}"
    await runner.cleanup()


async def test_a_call_that_ends_before_its_answer_is_none(url: str) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(RuntimeError, match="1013"):
            await over_socket(http, url, False)
