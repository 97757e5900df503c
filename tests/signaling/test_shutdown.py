"""A server that ends: what runs may finish, nothing new begins, and nobody holds the end up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from inzwa_rtc.engines.contracts import TokenChunk
from tests.support.engines import ScriptedModel
from tests.support.server import serving

ASK: Any = {"messages": [{"role": "user", "content": "How are you?"}], "stream": True}
GUARD_S = 8.0  # the end is bounded below this: traces 2 s, requests 2 s, calls 3 s


class Waiting(ScriptedModel):
    """Begins a reply, and ends it when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.may_end = asyncio.Event()

    async def reply(self, request: Any) -> Any:
        yield TokenChunk("Well then. ")
        await self.may_end.wait()
        yield TokenChunk("That is all.")


@asynccontextmanager
async def mute_collector() -> AsyncIterator[str]:
    """Takes connections, and never says a word."""
    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()


async def test_what_runs_is_finished_and_no_new_work_begins() -> None:
    llm = Waiting()
    async with serving(llm=llm) as serve, aiohttp.ClientSession(serve.url) as client:
        running = await client.post("/v1/chat", json=ASK)
        assert b"Well" in await running.content.readany()
        draining = asyncio.create_task(serve.server.drain(60))
        await asyncio.sleep(0)
        async with client.post("/v1/tts", json={"text": "Hello."}) as refused:
            assert (refused.status, (await refused.json())["code"]) == (503, "draining")
            assert int(refused.headers["Retry-After"]) > 0
        assert not draining.done()
        llm.may_end.set()
        assert "That is all." in await running.text()
        await draining


async def test_a_mute_collector_and_a_stream_without_end_hold_nothing_up() -> None:
    async with mute_collector() as url, aiohttp.ClientSession() as client:
        with capture_logs() as lines:
            server = serving(llm=Waiting(), telemetry={"otlp_endpoint": url})
            serve = await server.__aenter__()
            async with client.get(f"{serve.url}/v1/info") as answer:
                await answer.read()
            running = await client.post(f"{serve.url}/v1/chat", json=ASK)
            assert await running.content.readany()
            async with asyncio.timeout(GUARD_S):
                await server.__aexit__(None, None, None)
        with pytest.raises(aiohttp.ClientPayloadError):
            await running.read()
    [cut] = [one for one in lines if one.get("operation") == "POST /v1/chat"]
    assert cut["status"] == 503
