"""What every request passes through: errors as JSON, security headers."""

from __future__ import annotations

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from inzwa_rtc.errors import InzwaError
from signaling.api.errors import error_response
from signaling.api.operation import path_as_declared, shape_of_errors

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


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn errors into JSON with a code, a message and what to do."""
    shape = shape_of_errors(request)
    try:
        return await handler(request)
    except InzwaError as error:
        return error_response(error, shape=shape)
    except TimeoutError:
        slow = InzwaError("The request took too long.", action="Try again.", code="timeout")
        return error_response(slow, 408, shape=shape)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        message = InzwaError(error.reason, action="See docs/clients.md.", code="http_error")
        kept = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
        return error_response(message, error.status, kept, shape)
    except Exception:  # the edge: log it, keep serving
        log.exception("request.failed", method=request.method, path=path_as_declared(request))
        failed = InzwaError("Something went wrong on the server.", action="Try again.")
        return error_response(failed, 500, shape=shape)


async def add_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    """On every response."""
    for name, value in _SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if not request.path.startswith("/v1/"):
        response.headers.setdefault("Cache-Control", "no-cache")
