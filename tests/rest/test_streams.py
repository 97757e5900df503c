"""Answers that are sent while they are made: who leaves, who takes nothing, what breaks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from inzwa_rtc.engines.contracts import SpeechChunk, SpeechRequest, TokenChunk
from inzwa_rtc.errors import EngineError
from signaling.api.streams import BROKEN, LEFT, SentEvent, send_bytes, send_events
from tests.support.engines import ScriptedModel, ToneSynthesizer
from tests.support.figures import figures
from tests.support.server import serving

ASK: Any = {"messages": [{"role": "user", "content": "How are you?"}], "stream": True}
LONG = "One two three. " * 40


class Stalling(ToneSynthesizer):
    """Speaks one sentence of a long text, and then nothing until it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = asyncio.Event()
        self.failure: Exception | None = None

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        is_second = any(request.text in LONG for request in self.requests)
        try:
            async with aclosing(super().synthesize(request)) as chunks:
                async for chunk in chunks:
                    yield chunk
            if request.text in LONG and is_second:
                if self.failure:
                    raise self.failure
                await asyncio.Event().wait()
        finally:
            if is_second:
                self.closed.set()


async def test_speech_stops_when_its_listener_hangs_up() -> None:
    tts = Stalling()
    async with serving(tts=tts) as server, aiohttp.ClientSession(server.url) as client:
        answer = await client.post("/v1/tts", json={"text": LONG})
        assert await answer.content.readany()
        answer.close()
        await tts.closed.wait()


async def test_speech_that_breaks_is_not_taken_for_whole() -> None:
    tts = Stalling()
    tts.failure = EngineError("It broke.")
    async with serving(tts=tts) as server, aiohttp.ClientSession(server.url) as client:
        answer = await client.post("/v1/tts", json={"text": LONG})
        assert answer.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()
        assert (await client.get("/healthz")).status == 200
        now = await figures(server.url)
    assert now.value("inzwa_requests_total", operation="POST /v1/tts", status="502") == 1
    assert now.value("inzwa_requests_total", operation="POST /v1/tts") == 1


async def test_speech_that_fails_at_once_is_told_with_its_status() -> None:
    tts = ToneSynthesizer()
    async with serving(tts=tts) as server, aiohttp.ClientSession(server.url) as client:
        tts.failures.append(EngineError("It broke."))
        answer = await client.post("/v1/tts", json={"text": LONG})
        assert (answer.status, (await answer.json())["code"]) == (502, "engine_failed")


async def test_a_reply_stops_when_its_reader_hangs_up() -> None:
    closed = asyncio.Event()

    class Endless(ScriptedModel):
        async def reply(self, request: Any) -> Any:
            try:
                yield TokenChunk("Well then. ")
                await asyncio.Event().wait()
            finally:
                closed.set()

    async with serving(llm=Endless()) as server, aiohttp.ClientSession(server.url) as client:
        answer = await client.post("/v1/chat", json=ASK)
        assert b"Well" in await answer.content.readany()
        answer.close()
        await closed.wait()


async def test_a_reply_that_breaks_ends_with_an_error() -> None:
    class Breaking(ScriptedModel):
        async def reply(self, request: Any) -> Any:
            yield TokenChunk("Well then. ")
            raise EngineError("It broke.", action="Try again.")

    async with serving(llm=Breaking()) as server, aiohttp.ClientSession(server.url) as client:
        answer = await client.post("/v1/chat", json=ASK)
        events = (await answer.text()).strip().split("\n\n")
        now = await figures(server.url)
    assert now.value("inzwa_requests_total", operation="POST /v1/chat", status="502") == 1
    name, data = events[-1].split("\n")
    assert (len(events), name) == (2, "event: error")
    assert json.loads(data.removeprefix("data: ")) == {
        "code": "engine_failed",
        "message": "It broke.",
        "action": "Try again.",
    }


async def a_sound(request: web.Request) -> web.StreamResponse:
    return await send_bytes(request, leaving(request), "audio/wav")


async def some_events(request: web.Request) -> web.StreamResponse:
    return await send_events(
        request, leaving(request), lambda part: [SentEvent(str(part))], lambda _: SentEvent("")
    )


async def leaving(request: web.Request) -> AsyncGenerator[bytes, None]:
    """The client is found gone when so many pieces were sent."""
    for number in range(3):
        if number == int(request.query["after"]):
            assert request.transport is not None
            request.transport.abort()
        yield b"piece"


@pytest.mark.parametrize("handler", [a_sound, some_events])
@pytest.mark.parametrize("after", [0, 1, 2])
async def test_a_client_that_leaves_is_no_error(handler: Any, after: int) -> None:
    counted: asyncio.Queue[int] = asyncio.Queue()

    @web.middleware
    async def watch(request: web.Request, handler: Any) -> Any:
        status = 500
        try:
            answer = await handler(request)
            status = request.get(BROKEN, answer.status)
            return answer
        except asyncio.CancelledError:  # as aiohttp does once it knows
            status = LEFT
            raise
        finally:
            counted.put_nowait(status)

    app = web.Application(middlewares=[watch])
    app.router.add_get("/", handler)
    async with TestServer(app) as server, aiohttp.ClientSession() as client:
        with pytest.raises(aiohttp.ClientError):
            async with client.get(server.make_url(f"/?after={after}")) as answer:
                await answer.read()
        async with asyncio.timeout(20):
            assert await counted.get() == LEFT


async def test_who_is_slow_to_read_holds_the_model_up_and_nobody_else() -> None:
    told = 0

    class Talkative(ScriptedModel):
        async def reply(self, request: Any) -> Any:
            nonlocal told
            for _ in range(100_000):
                told += 1
                yield TokenChunk("word " * 200)
                await asyncio.sleep(0)

    async with serving(llm=Talkative()) as server, aiohttp.ClientSession(server.url) as client:
        slow = await client.post("/v1/chat", json=ASK)
        before = -1
        while told > before:  # until its buffers are full
            before = told
            for _ in range(50):
                assert (await client.get("/healthz")).status == 200
        assert told < 100_000
        slow.close()
