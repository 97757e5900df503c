"""The live calls, and an end to one of them."""

from __future__ import annotations

from aiohttp import web
from pydantic import BaseModel

from inzwa_rtc.events import TurnMetrics
from signaling.api.operation import Answer, Operation
from signaling.call import Call
from signaling.calls import Calls


class TurnTimes(BaseModel):
    """The marks of a turn, in ms since the caller's last voiced sample."""

    silence_ms: int
    transcript_ms: int
    first_token_ms: int
    first_audio_ms: int


class LiveCall(BaseModel):
    """One call now. `user` is a pseudonym; the `state` is `away` while the caller's connection is
    lost; `loss` the share of packets lost so far; `score` what people would say of the sound now,
    from 1 to 4.4, where its network is known; `latest` the times of the newest turn that was
    answered."""

    id: str
    transport: str
    user: str | None
    seconds: float
    turns: int
    failures: int
    state: str
    language: str
    loss: float | None
    score: float | None
    latest: TurnTimes | None


class LiveCallList(BaseModel):
    """All of them, the oldest first."""

    calls: list[LiveCall]


class LiveCalls:
    """The handlers of `/v1/admin/calls`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        return [
            Operation(
                *("GET", "/v1/admin/calls", self.show, "The live calls"),
                access="admin",
                tag="admin",
                answers=(Answer(200, "The oldest first.", LiveCallList),),
            ),
            Operation(
                *("DELETE", "/v1/admin/calls/{id}", self.end, "End a call"),
                access="admin",
                tag="admin",
                answers=(Answer(204, "It ends.", media_type=""),),
                refusals=(404,),
            ),
        ]

    async def show(self, _request: web.Request) -> web.Response:
        """Every live call: where it stands, how quick its answers are, how its line is."""
        told = LiveCallList(calls=[self._told(call) for call in self._calls.all()])
        return web.json_response(told.model_dump())

    async def end(self, request: web.Request) -> web.Response:
        """End a call at once; its caller is told that the operator did."""
        self._calls.find(request.match_info["id"]).end("operator")
        return web.Response(status=204)

    def _told(self, call: Call) -> LiveCall:
        session, watch = call.session, call.watch
        return LiveCall(
            id=call.id,
            transport=call.transport,
            user=self._calls.telemetry.pseudonym(call.owner.user),
            seconds=round(session.elapsed_s, 1) if session else 0.0,
            turns=session.turns if session else 0,
            failures=watch.failures,
            state="away" if call.is_away else watch.state,
            language=watch.language,
            loss=None if watch.loss is None else round(watch.loss, 4),
            score=None if call.is_away else watch.score,
            latest=_times(watch.latest),
        )


def _times(times: TurnMetrics | None) -> TurnTimes | None:
    if times is None:
        return None
    return TurnTimes(
        silence_ms=times.silence_ms,
        transcript_ms=times.transcript_ms,
        first_token_ms=times.first_token_ms,
        first_audio_ms=times.first_audio_ms,
    )
