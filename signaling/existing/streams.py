"""Answers that leave as they are made."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import structlog
from aiohttp import web

from inzwa_rtc.errors import InzwaError

MAX_SEND_S = 30.0  # nothing taken for so long: the client is gone, or as good as gone

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # proxies pass it on at once

log = structlog.get_logger(__name__)


async def send_bytes(
    request: web.Request, pieces: AsyncGenerator[bytes, None], media_type: str
) -> web.StreamResponse:
    """Send these bytes as they come. What is wrong before the first of them is raised; what goes
    wrong later cuts the answer off, which its reader sees."""
    async with aclosing(pieces):
        piece = await anext(pieces, None)
        response = await _begun(request, media_type)
        try:
            while piece is not None:
                await _send(response, piece)
                piece = await anext(pieces, None)
            await response.write_eof()
        except (InzwaError, TimeoutError, ConnectionError) as error:
            cut_off(request, error)
    return response


def cut_off(request: web.Request, error: Exception) -> None:
    """The answer ends here, unfinished: its reader sees that the connection is gone."""
    code = error.code if isinstance(error, InzwaError) else type(error).__name__
    log.warning("answer.cut_off", path=request.path, error=code)
    if request.transport is not None:
        request.transport.abort()


class EventStream:
    """Server-sent events."""

    def __init__(self, response: web.StreamResponse) -> None:
        self.response = response

    @classmethod
    async def begun(cls, request: web.Request) -> EventStream:
        """The headers have left."""
        return cls(await _begun(request, "text/event-stream"))

    async def send(self, event: str, data: Mapping[str, Any]) -> None:
        """One event. Raises `TimeoutError` for a client that takes nothing, `ConnectionError` for
        one that is gone."""
        text = json.dumps(data, ensure_ascii=False)
        await _send(self.response, f"event: {event}\ndata: {text}\n\n".encode("utf-8", "replace"))


async def _begun(request: web.Request, media_type: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": media_type, **_HEADERS})
    await response.prepare(request)
    return response


async def _send(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(MAX_SEND_S):
        await response.write(data)
