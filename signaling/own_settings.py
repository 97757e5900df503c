"""What the caller has chosen: `GET` and `PUT /v1/settings`."""

from __future__ import annotations

from aiohttp import web

from inzwa_rtc.settings import Settings
from signaling.api.body import read_json
from signaling.api.operation import Answer, JsonBody, Operation, caller_of
from signaling.calls import Calls
from signaling.operations.preferences import Choices, Chosen, Preferences


class OwnSettings:
    """The handlers of a path at which a user's own settings are; `path` is it."""

    def __init__(
        self, calls: Calls, preferences: Preferences, settings: Settings, path: str, tag: str
    ) -> None:
        self._calls = calls
        self._preferences = preferences
        self._limit = settings.limits.json_body
        self._path = path
        self._tag = tag

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        shown = (Answer(200, "The settings that count now.", Chosen),)
        return [
            Operation(
                *("GET", self._path, self.show, "Your own settings"),
                tag=self._tag,
                answers=shown,
            ),
            Operation(
                *("PUT", self._path, self.change, "Change your own settings"),
                tag=self._tag,
                body=(JsonBody(Choices),),
                answers=shown,
                refusals=(413, 415),
            ),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """What the user has chosen whom the key belongs to, or whom it names. On a server that is
        open to anybody: what counts for those without a name. 401 for a key that names nobody."""
        self._calls.check_enabled()
        return _told(await self._preferences.of(caller_of(request)))

    async def change(self, request: web.Request) -> web.Response:
        """Members that are left out stay as they are, null goes back to the server's own. A voice
        or a language that is not offered is refused. 401 where nobody is named."""
        self._calls.check_enabled()
        choices = await read_json(request, Choices, self._limit)
        return _told(await self._preferences.change(caller_of(request), choices))


def _told(chosen: Chosen) -> web.Response:
    return web.json_response(chosen.model_dump())
