"""The effective configuration, without its secrets."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import BaseModel

from inzwa_rtc.settings import Loaded
from inzwa_rtc.settings.shown import rows
from signaling.api.operation import Answer, Operation
from signaling.switchboard import Switchboard


class Setting(BaseModel):
    """One setting by its full name, its value (secrets masked), and who gave it."""

    name: str
    value: Any
    origin: str


class SettingList(BaseModel):
    """All of them, in the order of the documentation."""

    settings: list[Setting]


class Configuration:
    """The handler of `/v1/admin/config`."""

    def __init__(self, switchboard: Switchboard[Any]) -> None:
        self._switchboard = switchboard

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        return [
            Operation(
                *("GET", "/v1/admin/config", self.show, "The effective configuration"),
                access="admin",
                tag="admin",
                answers=(Answer(200, "Every setting.", SettingList),),
            )
        ]

    async def show(self, _request: web.Request) -> web.Response:
        """Every setting that new calls follow, and whether it is the default, a profile's, the
        file's, the environment's or the command line's. Secrets are masked."""
        switchboard = self._switchboard
        table = rows(Loaded(switchboard.now.settings, switchboard.origins, None))
        told = SettingList(
            settings=[Setting(name=row.name, value=row.value, origin=row.origin) for row in table]
        )
        return web.json_response(told.model_dump(mode="json"))
