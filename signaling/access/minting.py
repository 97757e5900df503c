"""`POST /v1/tokens`: an application's back end asks for a start token, which it hands to a page
or an app."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from inzwa_rtc.settings import LimitSettings
from signaling.access import refusals
from signaling.access.caller import Caller, check_may_call
from signaling.access.gate import Gate
from signaling.access.start_tokens import LIFE_S, Grant
from signaling.api.body import read_optional_json
from signaling.api.operation import Answer, JsonBody, Operation, caller_of
from signaling.dialects.native import SessionOptions


class TokenRequest(BaseModel):
    """For whom a call is to be, and how."""

    model_config = ConfigDict(strict=True, extra="forbid")

    user: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="The application's name for whoever calls."
    )
    session: SessionOptions = Field(
        default_factory=SessionOptions,
        description="What is settled for the call, whatever the client asks for.",
    )
    expires_s: Annotated[int, Field(ge=1, le=int(LIFE_S))] = Field(
        default=int(LIFE_S), description="How long the token may wait to be used."
    )


_BODY = JsonBody(TokenRequest, is_optional=True)


class Token(BaseModel):
    """A start token: it starts one call."""

    token: str
    expires_at: datetime


class Minting:
    """The handler of `/v1/tokens`."""

    def __init__(self, gate: Gate, limits: LimitSettings) -> None:
        self._gate = gate
        self._limits = limits

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        return [
            Operation(
                *("POST", "/v1/tokens", self.mint, "Make a start token"),
                tag="access",
                body=(_BODY,),
                answers=(Answer(201, "The token, which is told once.", Token),),
                refusals=(413, 415),
                counts_as="tokens",
            )
        ]

    async def mint(self, request: web.Request) -> web.Response:
        """A token with which a page or an app starts one call, within a minute, without a key.

        It stands for `user` and `session`, and is kept in memory only. The body may be left out.
        """
        asked = await read_optional_json(request, _BODY, self._limits.json_body)
        caller = await self._named(caller_of(request), asked.user)
        check_may_call(caller)
        grant = Grant(caller.key_id, caller.user, asked.session)
        token = await self._gate.mint(grant, asked.expires_s)
        expires_at = datetime.now(UTC) + timedelta(seconds=asked.expires_s)
        return web.json_response(
            Token(token=token, expires_at=expires_at).model_dump(mode="json"),
            status=201,
            headers={"Cache-Control": "no-store"},
        )

    async def _named(self, caller: Caller, user: str | None) -> Caller:
        """The caller as this user. Raises `PeerError` where they may not name one."""
        if user is None or user == caller.user:
            return caller
        if caller.key_id is None:
            raise refusals.nobody()
        if caller.user is not None:
            raise refusals.not_your_user()
        return replace(caller, user=user, settings=await self._gate.settings_of(user))
