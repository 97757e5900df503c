"""What the operator asks of a running server, from the machine itself.

There are no keys yet, so these requests are taken from the machine only: over its loopback
interface, and neither passed on by a proxy nor sent by a web page.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from aiohttp import web

from inzwa_rtc.errors import ConfigError, PeerError
from signaling.edge import error_response
from signaling.switchboard import Switchboard

_PASSED_ON = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")


class Admin:
    """The handlers of `/v1/admin`."""

    def __init__(self, switchboard: Switchboard[Any]) -> None:
        self._switchboard = switchboard

    def routes(self) -> list[web.AbstractRouteDef]:
        """To be added to the application."""
        return [web.post("/v1/admin/reload", self.reload)]

    async def reload(self, request: web.Request) -> web.Response:
        """Read the settings again and exchange what they change; answers when that is done.

        Who hangs up before gives it up. 409 for settings that cannot be used, 502 for engines
        that cannot be loaded: all is then as before.
        """
        _check_operator(request)
        try:
            exchanged = await self._switchboard.reload()
        except ConfigError as error:
            return error_response(error, 409, {})
        names = {kind: status.name for kind, status in self._switchboard.status().items()}
        return web.json_response(
            {
                "exchanged": list(exchanged.kinds),
                "needs_restart": list(exchanged.needs_restart),
                "engines": names,
            }
        )


def _check_operator(request: web.Request) -> None:
    from_page = "Origin" in request.headers or "Sec-Fetch-Site" in request.headers
    passed_on = any(name in request.headers for name in _PASSED_ON)
    if from_page or passed_on or not _is_local(request.remote):
        raise PeerError(
            "This is for the operator, on the server's own machine.",
            action="Ask there, without a proxy: curl -X POST http://localhost:PORT"
            f"{request.path}, or send the server SIGHUP.",
            code="operator_only",
            status=403,
        )


def _is_local(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False
