"""What every request passes through: errors as JSON, security headers, bounded bodies."""

from __future__ import annotations

import asyncio

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from inzwa_rtc.errors import EngineError, InzwaError, PeerError, Unavailable

BODY_TIMEOUT_S = 10.0

log = structlog.get_logger(__name__)

_SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; "
        "media-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def error_response(error: InzwaError, status: int, headers: dict[str, str]) -> web.Response:
    """Every refusal has the same shape."""
    body = {"error": {"code": error.code, "message": error.message, "action": error.action}}
    return web.json_response(body, status=status, headers=headers)


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn errors into JSON with a code, a message and what to do."""
    try:
        return await handler(request)
    except PeerError as error:
        return error_response(error, error.status, {})
    except Unavailable as error:
        retry = error.retry_after_s
        return error_response(error, 503, {} if retry is None else {"Retry-After": str(retry)})
    except EngineError as error:
        return error_response(error, 502, {})
    except InzwaError as error:
        return error_response(error, 503, {"Retry-After": "5"})
    except TimeoutError:
        slow = InzwaError("The request took too long.", action="Try again.", code="timeout")
        return error_response(slow, 408, {})
    except web.HTTPException as error:
        if error.status < 400:
            raise
        message = InzwaError(error.reason, action="See docs/clients.md.", code="http_error")
        kept = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
        return error_response(message, error.status, kept)
    except Exception:  # the edge: log it, keep serving
        log.exception("request.failed", method=request.method, path=request.path)
        failed = InzwaError("Something went wrong on the server.", action="Try again.")
        return error_response(failed, 500, {})


async def add_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    """On every response."""
    for name, value in _SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if not request.path.startswith("/v1/"):
        response.headers.setdefault("Cache-Control", "no-cache")


async def read_text(request: web.Request, limit: int) -> str:
    """The body as text. Raises `PeerError` (too large, not UTF-8) and `TimeoutError` (slow)."""
    if request.content_length is not None and request.content_length > limit:
        raise _too_large(limit)
    body = bytearray()
    async with asyncio.timeout(BODY_TIMEOUT_S):
        async for piece in request.content.iter_any():
            body += piece
            if len(body) > limit:
                raise _too_large(limit)
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise PeerError("The body is not UTF-8.", action="Send UTF-8 text.") from None


def _too_large(limit: int) -> PeerError:
    return PeerError(
        f"The body is larger than {limit} bytes.",
        action="Send less.",
        code="too_large",
        status=413,
    )
