"""The end of a WebSocket."""

from __future__ import annotations

import asyncio

import structlog
from aiohttp import WSCloseCode, web

CLOSE_S = 10.0  # for a slow client to read to the end and to answer the close

log = structlog.get_logger(__name__)


async def close(
    ws: web.WebSocketResponse, request: web.Request, code: WSCloseCode, reason: str
) -> None:
    """Close politely where the client reads, and let go of the connection either way: with
    bytes unsent, aiohttp's own close would keep it until the client reads them."""
    try:
        if not request.protocol.writing_paused:
            async with asyncio.timeout(CLOSE_S):
                await ws.close(code=code, message=reason.encode())
    except TimeoutError:
        log.info("socket.not_closed_by_client")
    finally:
        if request.transport is not None:
            request.transport.abort()
