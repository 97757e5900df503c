"""A server on loopback that does what a test tells it to, in the real wire format."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Asked:
    """A request that came."""

    path: str
    headers: dict[str, str]
    body: Any
    form: dict[str, list[Any]] = field(default_factory=dict)


ASKED = web.RequestKey("asked", Asked)


class FakeServer:
    """Behaves, request by request, as told; the last behaviour holds for all that follow."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self._transports: set[asyncio.BaseTransport | None] = set()
        self._behaviours: list[Behaviour] = []
        self._left = 0
        self._under_way = 0
        self._changed = asyncio.Condition()

    @property
    def open_connections(self) -> int:
        """How many of them are still there."""
        return sum(one is not None and not one.is_closing() for one in self._transports)

    @property
    def connections(self) -> int:
        """How many connections brought a request."""
        return len(self._transports)

    def will(self, *behaviours: Behaviour) -> None:
        self._behaviours = list(behaviours)

    async def until_asked(self, count: int = 1) -> None:
        """Return once that many requests have come."""
        await self._until(lambda: len(self.asked) >= count)

    async def until_left(self, count: int = 1) -> None:
        """Return once that many clients have gone before their answer ended."""
        await self._until(lambda: self._left >= count)

    async def until_idle(self) -> None:
        """Return once no request is under way, if any came."""
        await self._until(lambda: self._under_way == 0)

    async def until_closed(self) -> None:
        """Return once no connection is there."""
        async with asyncio.timeout(30):
            while self.open_connections:  # noqa: ASYNC110 - the loop tells nobody
                await asyncio.sleep(0)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[FakeServer, None]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(
            app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None
        )
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            self.url = f"http://{host}:{port}"
            yield self
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self._transports.add(request.transport)
        self._under_way += 1
        try:
            request[ASKED] = asked = await _read(request)
            await self._change(lambda: self.asked.append(asked))
            behave = self._behaviours[0]
            if len(self._behaviours) > 1:
                self._behaviours.pop(0)
            return await behave(request)
        except (asyncio.CancelledError, ConnectionError):
            self._left += 1
            raise
        finally:
            self._under_way -= 1
            await asyncio.shield(self._change(lambda: None))

    async def _change(self, change: Callable[[], None]) -> None:
        async with self._changed:
            change()
            self._changed.notify_all()

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30), self._changed:
            await self._changed.wait_for(condition)


async def _read(request: web.Request) -> Asked:
    asked = Asked(request.path, dict(request.headers), None)
    if request.content_type.startswith("multipart/"):
        parts: Any = await request.multipart()
        async for part in parts:
            asked.form.setdefault(part.name, []).append(
                bytes(await part.read()) if part.filename else await part.text()
            )
    elif request.can_read_body:
        asked.body = await request.json()
    return asked


def answers(
    data: Any, status: int = 200, kind: str = "application/json", **headers: str
) -> Behaviour:
    """One whole answer; a string is sent as it is."""

    async def behave(request: web.Request) -> web.StreamResponse:
        text = data if isinstance(data, str) else json.dumps(data)
        return web.Response(
            text=text,
            status=status,
            content_type=kind,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    return behave


async def hangs(request: web.Request) -> web.StreamResponse:
    """Never answers."""
    await asyncio.Event().wait()
    raise AssertionError


async def breaks(request: web.Request) -> web.StreamResponse:
    """Closes the connection in place of an answer."""
    assert request.transport is not None
    request.transport.abort()
    raise ConnectionResetError


def streams(
    pieces: Sequence[bytes],
    then: Behaviour | None = None,
    kind: str = "text/event-stream",
    when: asyncio.Event | None = None,
) -> Behaviour:
    """Sends pieces (after the first only `when` that is set), and then goes on in another way
    or ends well."""

    async def behave(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        for number, piece in enumerate(pieces):
            if number and when is not None:
                await when.wait()
            await response.write(piece)
        if then is not None:
            await then(request)
        await response.write_eof()
        return response

    return behave


def drips(pieces: AsyncIterator[bytes], kind: str = "text/event-stream") -> Behaviour:
    """Sends pieces as they come."""

    async def behave(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        async for piece in pieces:
            await response.write(piece)
        return response

    return behave


def event(data: Any) -> bytes:
    """A server-sent event; a string is sent as it is."""
    text = data if isinstance(data, str) else json.dumps(data)
    return f"data: {text}\n\n".encode()


def delta(text: str, **members: Any) -> bytes:
    """An event with a piece of a reply."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None, **members}
    return event({"object": "chat.completion.chunk", "choices": [choice]})


FINISHED = event(
    {"object": "chat.completion.chunk", "choices": [{"delta": {}, "finish_reason": "stop"}]}
)
DONE = event("[DONE]")


def says(*tokens: str) -> Behaviour:
    """A reply as it should be."""
    return streams([*map(delta, tokens), FINISHED, DONE])


def line(data: Any) -> bytes:
    """A line of JSON."""
    return json.dumps(data).encode() + b"\n"
