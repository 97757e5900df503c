"""TURN servers for those who may call, with access for ten minutes at most (docs/turn.md)."""

from __future__ import annotations

from dataclasses import asdict
from time import time

from aiohttp import web
from pydantic import BaseModel

from inzwa_rtc.settings import Settings
from inzwa_rtc.transport.relay import Relay
from signaling.access.caller import check_may_call
from signaling.access.gate import Gate
from signaling.api.operation import Answer, Operation, caller_of


class IceServerShown(BaseModel):
    """As `RTCConfiguration.iceServers` takes it."""

    urls: list[str]
    username: str
    credential: str


class IceServers(BaseModel):
    """What the client is to make its connection with; none where the server has no relay."""

    ice_servers: list[IceServerShown]
    expires_in_s: int | None = None


class Relays:
    """The handler of `/v1/ice`, and what answers to offers say of relays."""

    def __init__(self, settings: Settings, gate: Gate) -> None:
        self._relay = Relay.of(settings)
        self._gate = gate

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        answers = (Answer(200, "The servers, and how long they let one in.", IceServers),)
        return [
            Operation(
                *("GET", "/v1/ice", self.servers, "TURN servers for a call"),
                answers=answers,
                counts_as="relays",
            ),
            Operation(
                *(
                    "GET",
                    "/v1/calls/{id}/ice",
                    self.of_call,
                    "TURN servers for a live call",
                ),
                access="call",
                answers=answers,
                refusals=(404,),
            ),
        ]

    async def servers(self, request: web.Request) -> web.Response:
        """What an `RTCPeerConnection` is made with, to be asked for before the offer is: browsers
        look for relays only then. A start token is not spent by it."""
        caller = caller_of(request)
        check_may_call(caller)
        self._gate.not_served(caller)
        return self._told()

    async def of_call(self, _request: web.Request) -> web.Response:
        """The same for another connection of a call, with which its start token is spent."""
        return self._told()

    def shown(self) -> list[IceServerShown]:
        """For one caller who may call."""
        if self._relay is None:
            return []
        return [IceServerShown.model_validate(asdict(self._relay.access(time())))]

    def _told(self) -> web.Response:
        told = IceServers(
            ice_servers=self.shown(),
            expires_in_s=self._relay.lifetime_s if self._relay is not None else None,
        )
        return web.json_response(told.model_dump(), headers={"Cache-Control": "no-store"})


def link(server: IceServerShown) -> str:
    """The header `Link` (RFC 9725, section 4.6) for clients that are answered in SDP."""
    access = f'username="{server.username}"; credential="{server.credential}"'
    return ", ".join(
        f'<{url}>; rel="ice-server"; {access}; credential-type="password"' for url in server.urls
    )
