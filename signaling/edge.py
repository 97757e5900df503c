"""What every request passes through: errors as JSON, security headers."""

from __future__ import annotations

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from inzwa_rtc.errors import InzwaError, PeerError
from signaling.api.errors import error_response
from signaling.api.operation import path_as_declared, shape_of_errors

log = structlog.get_logger(__name__)

SECURITY_HEADERS = {
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
        kept = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
        return error_response(_explained(error), error.status, kept, shape)
    except Exception:  # the edge: log it, keep serving
        log.exception("request.failed", method=request.method, path=path_as_declared(request))
        return error_response(own_fault(), 500, shape=shape)


def own_fault() -> InzwaError:
    """Whatever went wrong, it is not the client's fault; the log has the rest."""
    return InzwaError("Something went wrong on the server.", action="Try again.")


def _explained(error: web.HTTPException) -> InzwaError:
    """What aiohttp refuses of its own accord, in words of ours."""
    match error:
        case web.HTTPNotFound():
            what, action = "There is nothing at this path.", "See /docs for the paths there are."
        case web.HTTPMethodNotAllowed(allowed_methods=methods):
            what = "This path is there for another method."
            action = f"Use {' or '.join(sorted(methods))}."
        case web.HTTPBadRequest():  # at the handshake of a WebSocket, and nowhere else
            return PeerError(
                "Only a WebSocket can be opened at this path, and this is no handshake for one.",
                action="Use a WebSocket client. A proxy in between must pass `Upgrade` on.",
                code="no_websocket",
            )
        case _:
            what, action = f"The request was refused: {error.reason}.", "See docs/clients.md."
    return InzwaError(what, action=action, code="http_error")


async def add_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    """On every response."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if not request.path.startswith("/v1/"):
        response.headers.setdefault("Cache-Control", "no-cache")
