"""What the operator asks of a running server."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import BaseModel

from inzwa_rtc.errors import ConfigError, InzwaError
from signaling.api.errors import error_response
from signaling.api.operation import Answer, Operation
from signaling.switchboard import Switchboard, tell_not_reloaded


class Reloaded(BaseModel):
    """What new settings have changed, and which of them count from the next start only."""

    exchanged: list[str]
    changed: list[str]
    needs_restart: list[str]
    engines: dict[str, str]


class Admin:
    """The handlers of `/v1/admin`."""

    def __init__(self, switchboard: Switchboard[Any]) -> None:
        self._switchboard = switchboard

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

    async def reload(self, _request: web.Request) -> web.Response:
        """Read the settings again and exchange what they change; answers when that is done.

        Who hangs up before gives it up. 409 for settings that cannot be used, 502 for engines
        that cannot be loaded, 503 for a server that shuts down: all is then as before.
        """
        try:
            exchanged = await self._switchboard.reload()
        except InzwaError as error:
            tell_not_reloaded(error)
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
