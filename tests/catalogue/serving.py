"""A web server on this machine that hands out files as well or as badly as it is told to.

It runs in a thread: what is tested runs a loop of its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import web
from multidict import CIMultiDictProxy

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Served:
    """A file, and how it is served."""

    content: bytes
    etag: str | None = '"1"'
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    """After how many bytes each of the next answers breaks off; 0: before the first."""
    chunked: bool = False
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    """A request that came in."""

    method: str
    path: str
    headers: CIMultiDictProxy[str]


class FileServer:
    """Files by path, other answers by path, and what was asked for."""

    def __init__(self) -> None:
        self.url = ""
        self.files: dict[str, Served] = {}
        self.handlers: dict[str, Handler] = {}
        self.asked: list[Asked] = []

    def put(self, path: str, content: bytes, **how: object) -> Served:
        self.files[path] = Served(content, **how)  # type: ignore[arg-type]
        return self.files[path]

    def ranges(self) -> list[str | None]:
        """The `Range` of each request for a file, in order."""
        return [asked.headers.get("Range") for asked in self.asked if asked.method == "GET"]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(Asked(request.method, request.path, request.headers))
        if handler := self.handlers.get(request.path):
            return await handler(request)
        if request.path not in self.files:
            return web.Response(status=404, text="no such file")
        return await self._file(request, self.files[request.path])

    async def _file(self, request: web.Request, file: Served) -> web.StreamResponse:
        start, total = 0, len(file.content)
        wanted = request.headers.get("Range")
        is_same = request.headers.get("If-Range") in (None, file.etag)
        if wanted and file.ranges and is_same:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= total:
                return web.Response(status=416)
        response = web.StreamResponse(status=206 if start else 200, headers=file.headers)
        if start:
            response.headers["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
        if file.etag:
            response.headers["ETag"] = file.etag
        if file.chunked:
            response.enable_chunked_encoding()
        elif "Content-Length" not in file.headers:
            response.content_length = total - start
        body = file.content[start:]
        cut = file.cuts.pop(0) if file.cuts else None
        await response.prepare(request)
        await response.write(body if cut is None else body[:cut])
        if cut is not None:
            await asyncio.sleep(0)
            assert request.transport
            request.transport.close() if not file.chunked else request.transport.abort()
        return response


@contextmanager
def serving(server: FileServer) -> Iterator[FileServer]:
    """`server` on a free port, until the block ends."""
    loop = asyncio.new_event_loop()
    ready, stop = threading.Event(), asyncio.Event()

    async def run() -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", server.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready.set()
        await stop.wait()
        await runner.cleanup()

    def work() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(run())

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait(30)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
