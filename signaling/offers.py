"""WebRTC calls over HTTP: offer and answer, trickled candidates, status, hang-up.

The shapes follow WHIP (RFC 9725) for SDP bodies; JSON bodies are the browser's
own objects.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from aiohttp import web
from multidict import CIMultiDict
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inzwa_rtc.errors import PeerError
from inzwa_rtc.settings import Settings
from signaling.api.body import bad_json, parse_json, read_text, unsupported_media_type
from signaling.api.operation import Answer, JsonBody, Operation, RawBody, caller_of
from signaling.call import Call
from signaling.calls import Calls
from signaling.dialects.native import SessionOptions
from signaling.ice import IceServerShown, Relays, link

SDP = "application/sdp"
SDP_FRAGMENT = "application/trickle-ice-sdpfrag"
JSON = "application/json"
_ESCAPED_BYTES = 2  # JSON doubles line ends, so a legal offer may be that much longer


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class Offer(_Strict):
    """The browser's own session description, and what the caller chooses."""

    sdp: str
    type: Annotated[str, Field(pattern="^offer$")] = "offer"
    session: SessionOptions = SessionOptions()


class OfferAgain(_Strict):
    """A session description for a call that goes on, and the `event_id` of the last event that
    came: what was told since is told again."""

    sdp: str
    type: Annotated[str, Field(pattern="^offer$")] = "offer"
    after: Annotated[int, Field(ge=0, le=2**53)] = 0


class Candidate(_Strict):
    """A candidate as the browser's `RTCIceCandidate` has it."""

    candidate: str
    sdpMid: str | None = None  # the browser's own names
    sdpMLineIndex: int | None = None


class Candidates(_Strict):
    """What a client found after its offer."""

    candidates: Annotated[list[Candidate], Field(max_length=64)]


class OfferQuery(BaseModel):
    """What may be asked for at the address, as clients that send SDP have no other place:
    `low_data` as in `session`."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    low_data: bool | None = None


class CallAnswer(BaseModel):
    """The answer to an offer. The call token is needed to change, read or end the call."""

    id: str
    sdp: str
    type: Literal["answer"] = "answer"
    ice_servers: list[IceServerShown] = []
    call_token: str


class CallStatus(BaseModel):
    """Where a call stands, for `seconds`; in the `state` `away` it waits for its caller, whose
    connection is lost."""

    id: str
    transport: str
    state: str
    seconds: float
    turns: int
    statistics: dict[str, Any]


class Offers:
    """The handlers of `/v1/calls`."""

    def __init__(self, calls: Calls, settings: Settings, relays: Relays) -> None:
        self._calls = calls
        self._limits = settings.limits
        self._relays = relays

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        one = "/v1/calls/{id}"
        answered = (
            Answer(201, "The call's answer; it begins once the connection stands.", CallAnswer),
            Answer(201, "The answer to an offer that was sent as SDP.", media_type=SDP),
        )
        candidates = (JsonBody(Candidates), RawBody((SDP_FRAGMENT,)))
        accepted = (Answer(204, "`Accept-Post` names what may be posted.", media_type=""),)
        return [
            Operation(
                *("POST", "/v1/calls", self.start, "Start a call over WebRTC"),
                body=(JsonBody(Offer), RawBody((SDP,))),
                query=OfferQuery,
                answers=answered,
                counts_as="calls",
                refusals=(413, 415),
            ),
            Operation(
                *("POST", f"{one}/resume", self.resume, "Take up a call over a new connection"),
                access="resume",
                body=(JsonBody(OfferAgain),),
                answers=(Answer(200, "The answer to the new offer.", CallAnswer),),
                counts_as="calls",
                refusals=(404, 409, 410, 413, 415),
            ),
            Operation(
                *("PATCH", one, self.trickle, "Add ICE candidates"),
                access="call",
                body=candidates,
                answers=(Answer(204, "They were taken.", media_type=""),),
                refusals=(404, 409, 412, 413, 415, 422, 428),
            ),
            Operation(
                *("GET", one, self.status, "How a call is"),
                access="call",
                answers=(Answer(200, "Where it stands.", CallStatus),),
                refusals=(404,),
            ),
            Operation(
                *("DELETE", one, self.hang_up, "Hang up"),
                access="call",
                answers=(Answer(200, "The call ends.", media_type=""),),
                refusals=(404,),
            ),
            Operation(
                *("OPTIONS", "/v1/calls", self.options, "What may be posted"),
                access="anyone",
                answers=accepted,
            ),
            Operation(
                *("OPTIONS", one, self.options, "What may be posted"),
                access="anyone",
                answers=accepted,
            ),
        ]

    async def start(self, request: web.Request) -> web.Response:
        """An offer in, an answer out; the call begins once the connection stands."""
        if request.content_type not in (SDP, JSON):
            raise unsupported_media_type(f"{SDP} or {JSON}")
        body = await read_text(request, self._limits.offer * _ESCAPED_BYTES)
        is_json = request.content_type == JSON
        offer = parse_json(Offer, body) if is_json else Offer(sdp=body)
        caller = caller_of(request)
        options = offer.session.model_copy(update=_query(request).model_dump(exclude_none=True))
        call, answer = await self._calls.answer(offer.sdp, options, caller)
        servers = self._relays.shown()
        headers = CIMultiDict({"Location": f"/v1/calls/{call.id}", **_tagged(call)})
        headers.extend(("Link", link(server)) for server in servers)
        if not is_json:
            self._calls.tokens.told_nothing(call.id)
            call.is_token_told = False
            return web.Response(status=201, text=answer, content_type=SDP, headers=headers)
        told = CallAnswer(id=call.id, sdp=answer, ice_servers=servers, call_token=call.token)
        return web.json_response(told.model_dump(), status=201, headers=headers)

    async def resume(self, request: web.Request) -> web.Response:
        """The same call over another connection: after a lost one, from another network or in
        the place of a WebSocket. It takes over once it stands; candidates are then its own. A
        call waits `resume.lost_s` seconds for its caller."""
        if request.content_type != JSON:
            raise unsupported_media_type(JSON)
        body = await read_text(request, self._limits.offer * _ESCAPED_BYTES)
        offer = parse_json(OfferAgain, body)
        call = self._calls.begun(request.match_info["id"])
        answer = await self._calls.answer_again(call, offer.sdp, offer.after)
        told = CallAnswer(id=call.id, sdp=answer, call_token=call.token)
        return web.json_response(told.model_dump(), headers=_tagged(call))

    async def trickle(self, request: web.Request) -> web.Response:
        """Candidates that the client found after its offer."""
        call = self._calls.find(request.match_info["id"])
        self._check_tag(request, call)
        body = await read_text(request, self._limits.json_body)
        if request.content_type == SDP_FRAGMENT:
            candidates = _fragment(body)
        elif request.content_type == JSON:
            candidates = parse_json(Candidates, body).candidates
        else:
            raise unsupported_media_type(f"{SDP_FRAGMENT} or {JSON}")
        peer = call.joining or call.peer
        if peer is None:
            raise PeerError(
                "This call has no WebRTC connection.",
                action="Candidates belong to calls started with POST /v1/calls.",
                code="not_webrtc",
                status=409,
            )
        for candidate in candidates:
            await peer.add_candidate(candidate.candidate, candidate.sdpMid, candidate.sdpMLineIndex)
        return web.Response(status=204)

    async def status(self, request: web.Request) -> web.Response:
        """Where a call stands."""
        call = self._calls.find(request.match_info["id"])
        session = call.session
        status = CallStatus(
            id=call.id,
            transport=call.transport,
            state=_state(call),
            seconds=round(session.elapsed_s, 1) if session else 0.0,
            turns=session.turns if session else 0,
            statistics=call.shown.statistics() if call.shown else {},
        )
        return web.json_response(status.model_dump())

    async def hang_up(self, request: web.Request) -> web.Response:
        """End a call."""
        call = self._calls.find(request.match_info["id"])
        call.end("caller")
        self._calls.void(call)
        return web.Response(status=200)

    async def options(self, _request: web.Request) -> web.Response:
        """What may be posted (RFC 9725, section 4.2)."""
        return web.Response(status=204, headers={"Accept-Post": f"{SDP}, {JSON}"})

    def _check_tag(self, request: web.Request, call: Call) -> None:
        tag = request.headers.get("If-Match")
        if tag is None:
            if request.content_type == SDP_FRAGMENT:
                raise PeerError(
                    "If-Match is missing.",
                    action="Send the ETag of the 201 response.",
                    code="tag_missing",
                    status=428,
                )
        elif tag == "*":
            raise PeerError(
                "ICE restart is not supported.",
                action="Start a new call.",
                code="no_ice_restart",
                status=422,
            )
        elif tag.strip('"') != call.etag:
            raise PeerError(
                "If-Match names another ICE session.",
                action="Send the ETag of the 201 response.",
                code="tag_stale",
                status=412,
            )


def _query(request: web.Request) -> OfferQuery:
    """Raises `PeerError`."""
    try:
        return OfferQuery.model_validate(dict(request.query))
    except (ValidationError, UnicodeError) as error:
        raise PeerError(
            bad_json(error).message, action="Give `low_data` as true or false.", code="bad_query"
        ) from None


def _tagged(call: Call) -> dict[str, str]:
    return {"ETag": f'"{call.etag}"', "Accept-Patch": f"{SDP_FRAGMENT}, {JSON}"}


def _state(call: Call) -> str:
    if call.is_away:
        return "away"
    return call.shown.state if call.shown else "connected"


def _fragment(body: str) -> list[Candidate]:
    """The candidates of an SDP fragment (RFC 8840)."""
    candidates: list[Candidate] = []
    mid: str | None = None
    index = -1
    for line in re.split(r"\r?\n", body):
        if line.startswith("m="):
            index += 1
            mid = None
        elif line.startswith("a=mid:"):
            mid = line.removeprefix("a=mid:").strip()
        elif line.startswith("a=candidate:"):
            candidates.append(
                Candidate(
                    candidate=line.removeprefix("a="), sdpMid=mid, sdpMLineIndex=max(index, 0)
                )
            )
    return candidates
