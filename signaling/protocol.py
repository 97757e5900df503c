"""HTTP as it is spoken here. What is no HTTP is answered as every other error is: aiohttp itself
answers it in plain text, and quotes what was sent."""

from __future__ import annotations

import asyncio

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from inzwa_rtc.errors import InzwaError, PeerError
from signaling.api.errors import error_response
from signaling.edge import SECURITY_HEADERS, own_fault

KEEPALIVE_S = 15.0  # also the guard against slow headers; aiohttp's own default is an hour


class Runner(web.AppRunner):
    """Runs the application, with connections of this server's own."""

    def __init__(self, app: web.Application, *, shutdown_timeout: float) -> None:
        super().__init__(app, shutdown_timeout=shutdown_timeout, handler_cancellation=True)

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        handle = made.request_handler

        async def answered(request: web.BaseRequest) -> web.StreamResponse:
            try:
                return await handle(request)
            except web.HTTPExpectationFailed as refused:  # before any middleware sees it
                return error_response(_no_expectation(), refused.status, SECURITY_HEADERS)

        return _Connections(
            answered,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
        )


class _Connections(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Connection(
            self,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # None is none, as the runner has it
            keepalive_timeout=KEEPALIVE_S,
            auto_decompress=False,  # compressed bodies are refused before they are opened
        )


class _Connection(web.RequestHandler):
    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What is answered to a request that never came to be one, or whose answer failed. The
        connection is closed."""
        plain = super().handle_error(request, status, exc, message)  # logs it
        error = _no_http(exc) if isinstance(exc, HttpProcessingError) else own_fault()
        told = error_response(error, plain.status, SECURITY_HEADERS)
        told.force_close()
        return told


def _no_expectation() -> InzwaError:
    return PeerError(
        "The request expects something that this server does not know.",
        action="Leave `Expect` out, or send `100-continue`.",
        code="unknown_expectation",
    )


def _no_http(error: HttpProcessingError) -> InzwaError:
    if isinstance(error, LineTooLong):
        return PeerError(
            "The address or a header of the request is too long.",
            action="Keep each below 8 KB; what is long belongs in the body.",
            code="bad_http",
        )
    return PeerError(
        "This is no HTTP/1.1 request that can be understood.",
        action="Check its first line, its headers, and how they tell the length of the body.",
        code="bad_http",
    )
