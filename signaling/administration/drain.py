"""Lets live calls come to their end while no new ones begin."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from signaling.api.body import read_optional_json
from signaling.api.operation import Answer, JsonBody, Operation
from signaling.calls import Calls

_BODY_BYTES = 1024


class DrainOrder(BaseModel):
    """`seconds` after which calls that still live are ended; without it they take their time."""

    model_config = ConfigDict(extra="forbid")

    seconds: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)] | None = None


_BODY = JsonBody(DrainOrder, is_optional=True)


class DrainState(BaseModel):
    """Whether new calls are taken, and how many live."""

    takes_calls: bool
    calls: int


class Drain:
    """The handlers of `/v1/admin/drain`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        path, answers = "/v1/admin/drain", (Answer(200, "How it is now.", DrainState),)
        return [
            Operation(
                *("POST", path, self.begin, "Take no new calls"),
                access="admin",
                tag="admin",
                body=(_BODY,),
                answers=answers,
                refusals=(413, 415),
            ),
            Operation(
                *("DELETE", path, self.end, "Take new calls again"),
                access="admin",
                tag="admin",
                answers=answers,
            ),
        ]

    async def begin(self, request: web.Request) -> web.Response:
        """From now on new calls are answered 503 and `/readyz` says so; live ones go on, for so
        many seconds if that is said. DELETE undoes it, and so does a restart. Asking again
        sets the time anew. The body may be left out."""
        order = await read_optional_json(request, _BODY, _BODY_BYTES)
        self._calls.pause(order.seconds)
        return self._told()

    async def end(self, _request: web.Request) -> web.Response:
        """New calls are taken again, unless the server is shutting down; live ones are not ended
        any more."""
        self._calls.resume()
        return self._told()

    def _told(self) -> web.Response:
        state = DrainState(takes_calls=self._calls.takes_calls, calls=len(self._calls))
        return web.json_response(state.model_dump())
