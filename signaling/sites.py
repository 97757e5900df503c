"""Which sites may use this server: the host names that it answers to, and web origins.

A page of another site can make a browser send requests here. Two checks keep it out. The
`Host` header must be a name of this server: a site that points its own name at this machine
(DNS rebinding) would otherwise be of the same origin. And the `Origin` header must be the
server's own or a listed one. Clients that are no browsers send no `Origin`.
"""

from __future__ import annotations

import ipaddress
import re

from aiohttp import web
from aiohttp.typedefs import Handler

from inzwa_rtc.errors import PeerError
from inzwa_rtc.settings import Settings

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^:\[\]]+))(?::[0-9]{1,5})?", re.I)

_READABLE = "Location, ETag, Link, Retry-After"

_NAMES = re.compile(r"[A-Za-z0-9-]+(?:, ?[A-Za-z0-9-]+)*")  # of headers


class Sites:
    """The names and origins that the settings allow."""

    def __init__(self, settings: Settings) -> None:
        self._origins = frozenset(settings.allowed_origins)
        listed = [origin.partition("://")[2] for origin in settings.allowed_origins]
        self._names = {_name(host) for host in [settings.host, *listed]} - {""}

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a request pass. Raises `PeerError` (421 for its host, 403 for its origin)."""
        host = request.headers.get("Host")
        if host is not None and not self._is_ours(host):  # browsers always send it
            raise PeerError(
                "This server does not answer to this host name.",
                action="Use its IP address or `localhost`, or let the operator add the page's"
                " address, such as https://calls.example.org, to `allowed_origins`.",
                code="host_refused",
                status=421,
            )
        origin = request.headers.get("Origin")
        is_own = origin in (None, f"http://{host}", f"https://{host}")
        if not is_own and origin not in self._origins:
            raise PeerError(
                "Pages of this origin may not use this server.",
                action="The operator can add it to `allowed_origins`.",
                code="origin_refused",
                status=403,
            )
        if not is_own and request.method == "OPTIONS":
            return web.Response(
                status=204,
                headers={
                    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
                    "Access-Control-Allow-Headers": self._allowed(request),
                    "Access-Control-Max-Age": "600",
                },
            )
        return await handler(request)

    def _allowed(self, request: web.Request) -> str:
        """The headers that a page of a listed origin may send: whatever it asks for, as clients
        of OpenAI's API tell of themselves in headers of their own. None of them lets anybody in
        but `Authorization`."""
        asked = request.headers.get("Access-Control-Request-Headers", "")
        return asked if _NAMES.fullmatch(asked) else "Authorization, Content-Type, If-Match"

    async def add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        """Let a page of a listed origin read the response, be it an error."""
        origin = request.headers.get("Origin")
        if origin in self._origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = _READABLE
            response.headers["Vary"] = "Origin"

    def _is_ours(self, host: str) -> bool:
        """No name that another site can have: an IP address, this machine's own name for
        itself, or one that the operator has set."""
        name = _name(host)
        return (
            name == "localhost"
            or name.endswith(".localhost")
            or _is_address(name)
            or name in self._names
        )


def _name(host: str) -> str:
    """The host without its port, in lower case; empty when it is malformed."""
    match = _HOST.fullmatch(host)
    return (match[1] or match[2]).lower() if match else ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
