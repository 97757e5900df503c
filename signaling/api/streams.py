"""Answers that are sent while they are made.

The first part is awaited before anything is sent, so that what fails at once is told with its
status. What fails later breaks the connection off (bytes), or is told as an event (SSE). Whoever
hangs up ends the work: aiohttp cancels the handler, and the generators are closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

import structlog
from aiohttp import web
from aiohttp_sse import EventSourceResponse

from inzwa_rtc.errors import InzwaError
from signaling.api.errors import status_of
from signaling.api.operation import path_as_declared

SEND_S = 60.0
"""For how long a client may take nothing before it is left: browsers that have enough of a sound
to play stop reading for a while."""

PING_S = 15.0
"""How often a comment is sent while there is nothing to tell: proxies close what is silent."""

BROKEN = web.RequestKey("broken", int)
"""The status that the request would have had, had its answer failed at once."""

LEFT = 499
"""The status of a request whose client did not wait for the answer, as nginx counts it."""

log = structlog.get_logger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SentEvent:
    """One server-sent event; without a name it is a `message`."""

    data: str
    name: str | None = None


async def send_bytes(
    request: web.Request,
    pieces: AsyncGenerator[bytes, None],
    content_type: str,
    headers: Mapping[str, str] | None = None,
) -> web.StreamResponse:
    """Send the pieces, of which there is at least one, as they come. Raises what the first one
    raises."""
    async with aclosing(pieces):
        piece = await anext(pieces)
        response = web.StreamResponse(headers={"Content-Type": content_type, **(headers or {})})
        try:
            await response.prepare(request)
            while True:
                async with asyncio.timeout(SEND_S):
                    await response.write(piece)
                next_piece = await anext(pieces, None)
                if next_piece is None:
                    break
                piece = next_piece
            await response.write_eof()
        except InzwaError as error:
            log.warning("stream.broken", path=path_as_declared(request), code=error.code)
            request[BROKEN] = status_of(error)
            _break_off(request)
        except TimeoutError:
            log.warning("stream.stalled", path=path_as_declared(request))
            request[BROKEN] = LEFT
            _break_off(request)
        except ConnectionError:
            request[BROKEN] = LEFT
    return response


async def send_events(
    request: web.Request,
    parts: AsyncGenerator[T, None],
    events: Callable[[T], list[SentEvent]],
    failed: Callable[[InzwaError], SentEvent],
) -> web.StreamResponse:
    """Send the events of each part. Raises what the first part raises; a later error is told as
    an event, the last one."""
    async with aclosing(parts):
        part = await anext(parts, None)
        response = EventSourceResponse(
            allow_all_methods=True, sep="\n", send_timeout=SEND_S, ping_interval=PING_S
        )
        try:
            await response.prepare(request)
            async with response:
                while part is not None:
                    for event in events(part):
                        await response.send(event.data, event=event.name)
                    part = await _following(request, parts, response, failed)
        except (ConnectionError, TimeoutError):
            request[BROKEN] = LEFT  # or it takes nothing, and aiohttp-sse has left it
    return response


async def _following(
    request: web.Request,
    parts: AsyncGenerator[T, None],
    response: EventSourceResponse,
    failed: Callable[[InzwaError], SentEvent],
) -> T | None:
    try:
        return await anext(parts, None)
    except InzwaError as error:
        log.warning("stream.failed", path=path_as_declared(request), code=error.code)
        request[BROKEN] = status_of(error)
        event = failed(error)
        await response.send(event.data, event=event.name)
        return None


def _break_off(request: web.Request) -> None:
    """So that the client does not take what it has for the whole."""
    if request.transport is not None:
        request.transport.abort()
