"""What the operator asks of a running server, with the key of the setting `admin_key`."""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import Any

from aiohttp import web
from pydantic import BaseModel, SecretStr

from inzwa_rtc.errors import ConfigError, InzwaError, PeerError
from signaling.api.errors import error_response
from signaling.api.operation import Answer, Operation
from signaling.switchboard import Switchboard, tell_not_exchanged


class Reloaded(BaseModel):
    """What new settings have changed, and which of them count from the next start only."""

    exchanged: list[str]
    changed: list[str]
    needs_restart: list[str]
    engines: dict[str, str]


class Admin:
    """The handlers of `/v1/admin`."""

    def __init__(self, switchboard: Switchboard[Any], key: SecretStr | None) -> None:
        self._switchboard = switchboard
        self._key = key

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        return [
            Operation(
                *("POST", "/v1/admin/reload", self.reload, "Read the settings again"),
                access="admin",
                tag="admin",
                answers=(Answer(200, "What has changed.", Reloaded),),
                refusals=(409,),
            )
        ]

    async def reload(self, request: web.Request) -> web.Response:
        """Read the settings again and exchange what they change; answers when that is done.

        Who hangs up before gives it up. 409 for settings that cannot be used, 502 for engines
        that cannot be loaded, 503 for a server that shuts down: all is then as before.
        """
        check_key(request, self._key)
        try:
            exchanged = await self._switchboard.reload()
        except InzwaError as error:
            tell_not_exchanged(error)
            if isinstance(error, ConfigError):
                return error_response(error, 409)
            raise
        names = {kind: status.name for kind, status in self._switchboard.status().items()}
        return web.json_response(
            {
                "exchanged": list(exchanged.kinds),
                "changed": list(exchanged.changed),
                "needs_restart": list(exchanged.needs_restart),
                "engines": names,
            }
        )


def by_operator(operation: Operation, key: SecretStr | None) -> Operation:
    """The operation, for those only who send the key."""

    async def checked(request: web.Request) -> web.StreamResponse:
        check_key(request, key)
        return await operation.handler(request)

    checked.__doc__ = operation.handler.__doc__
    return replace(operation, handler=checked)


def check_key(request: web.Request, key: SecretStr | None) -> None:
    """Raises `PeerError`. A page of another site cannot send the header."""
    if key is None:
        raise PeerError(
            "This server takes no requests of an operator's.",
            action="Set `admin_key`, or send the server SIGHUP.",
            code="operator_only",
            status=403,
        )
    scheme, _, told = request.headers.get("Authorization", "").partition(" ")
    given = told.strip().encode(errors="surrogateescape")
    if scheme.lower() != "bearer" or not hmac.compare_digest(
        given, key.get_secret_value().encode()
    ):
        raise PeerError(
            "This is for the operator.",
            action="Send the header `Authorization: Bearer KEY`, with the `admin_key`.",
            code="operator_only",
            status=401,
        )
