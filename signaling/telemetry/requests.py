"""Counts, logs and traces every request to an operation, without a word of what it carries."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from signaling.api.operation import CALLER, OPERATIONS, path_as_declared
from signaling.api.streams import BROKEN, LEFT
from signaling.telemetry.telemetry import Telemetry

SWITCHED = 101  # to a socket, which lasts as long as its call

CUT = 503
"""The status of a request that the server did not finish, as it ended."""

_BEGUN = web.RequestKey("begun", tuple)  # type: web.RequestKey[tuple[float, int]]
"""When the answer began, and with which status."""

_UNLOGGED = frozenset(
    f"GET {path}"
    for path in (
        *("/healthz", "/readyz", "/metrics"),
        *("/v1/admin/figures", "/v1/admin/calls", "/v1/admin/engines"),
    )
)
"""Asked every few seconds by machines, and by an open dashboard."""

log = structlog.get_logger(__name__)


class RequestWatch:
    """To be the outermost middleware."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._is_ending = False

    @web.middleware
    async def watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let the request pass, and tell of it."""
        operation = operation_of(request)
        if operation is None:
            return await handler(request)
        began = time.monotonic()
        trace = self._telemetry.traces.request(operation, request.headers)
        status = LEFT
        try:
            response = await handler(request)
            status = request.get(BROKEN, response.status)
            return response
        except asyncio.CancelledError:
            if self._is_ending:
                status = CUT
            raise  # a socket's call ends so as well
        except BaseException:
            status = 500
            raise
        finally:
            trace.ended(status)
            self._tell(request, operation, status, began)

    async def note_end(self, _app: web.Application) -> None:
        """The server ends; what is cancelled from now on, it cancels."""
        self._is_ending = True

    async def note_begin(self, request: web.Request, response: web.StreamResponse) -> None:
        """An answer begins."""
        request[_BEGUN] = (time.monotonic(), response.status)

    def _tell(self, request: web.Request, operation: str, status: int, began: float) -> None:
        seconds = time.monotonic() - began
        # An answer that is whole when the handler returns begins then.
        first, begun = request.get(_BEGUN, (began + seconds, status))
        first_s = first - began
        if begun == SWITCHED:
            status = begun
        self._telemetry.requests.answered(operation, status, seconds, first_s)
        if operation in _UNLOGGED:
            return
        told: dict[str, Any] = {}
        caller = request.get(CALLER)
        if caller is not None and caller.user is not None:
            told["user"] = self._telemetry.pseudonym(caller.user)
        log.info("request", operation=operation, status=status, ms=round(seconds * 1000, 1), **told)


def operation_of(request: web.Request) -> str | None:
    """Method and path of the operation as they are declared; None for what is none."""
    method = "GET" if request.method == "HEAD" else request.method
    told = f"{method} {path_as_declared(request)}"
    known = request.app[_KNOWN]
    return told if told in known else None


_KNOWN = web.AppKey("known_operations", frozenset[str])


def know_operations(app: web.Application) -> None:
    """To be called once the application has its operations."""
    app[_KNOWN] = frozenset(f"{one.method} {one.path}" for one in app[OPERATIONS])
