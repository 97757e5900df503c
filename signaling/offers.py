"""WebRTC calls over HTTP: offer and answer, trickled candidates, status, hang-up.

The shapes follow WHIP (RFC 9725) for SDP bodies; JSON bodies are the browser's
own objects.
"""

from __future__ import annotations

import re
from typing import Annotated, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inzwa_rtc.errors import PeerError
from inzwa_rtc.settings import Settings
from signaling.calls import Call, Calls
from signaling.dialects.native import SessionOptions
from signaling.edge import read_text

SDP = "application/sdp"
SDP_FRAGMENT = "application/trickle-ice-sdpfrag"
JSON = "application/json"
_ESCAPED_BYTES = 2  # JSON doubles line ends, so a legal offer may be that much longer

M = TypeVar("M", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _Offer(_Strict):
    sdp: str
    type: Annotated[str, Field(pattern="^offer$")] = "offer"
    session: SessionOptions = SessionOptions()


class _Candidate(_Strict):
    candidate: str
    sdpMid: str | None = None  # the browser's own names
    sdpMLineIndex: int | None = None


class _Candidates(_Strict):
    candidates: Annotated[list[_Candidate], Field(max_length=64)]


class Offers:
    """The handlers of `/v1/calls`."""

    def __init__(self, calls: Calls, settings: Settings) -> None:
        self._calls = calls
        self._limits = settings.limits

    def routes(self) -> list[web.AbstractRouteDef]:
        """To be added to the application."""
        return [
            web.post("/v1/calls", self.start),
            web.patch("/v1/calls/{id}", self.trickle),
            web.get("/v1/calls/{id}", self.status),
            web.delete("/v1/calls/{id}", self.hang_up),
            web.options("/v1/calls", self.options),
            web.options("/v1/calls/{id}", self.options),
        ]

    async def start(self, request: web.Request) -> web.Response:
        """An offer in, an answer out; the call begins once the connection stands."""
        if request.content_type not in (SDP, JSON):
            raise _unsupported(f"{SDP} or {JSON}")
        body = await read_text(request, self._limits.offer * _ESCAPED_BYTES)
        is_json = request.content_type == JSON
        offer = _parse(_Offer, body) if is_json else _Offer(sdp=body)
        call, answer = await self._calls.answer(offer.sdp, offer.session)
        headers = {
            "Location": f"/v1/calls/{call.id}",
            "ETag": f'"{call.etag}"',
            "Accept-Patch": f"{SDP_FRAGMENT}, {JSON}",
        }
        if not is_json:
            return web.Response(status=201, text=answer, content_type=SDP, headers=headers)
        members = {
            "id": call.id,
            "sdp": answer,
            "type": "answer",
            "ice_servers": [],
            "call_token": call.token,
        }
        return web.json_response(members, status=201, headers=headers)

    async def trickle(self, request: web.Request) -> web.Response:
        """Candidates that the client found after its offer."""
        call = self._calls.find(request.match_info["id"])
        self._check_tag(request, call)
        body = await read_text(request, self._limits.json_body)
        if request.content_type == SDP_FRAGMENT:
            candidates = _fragment(body)
        elif request.content_type == JSON:
            candidates = _parse(_Candidates, body).candidates
        else:
            raise _unsupported(f"{SDP_FRAGMENT} or {JSON}")
        if call.peer is None:
            raise PeerError(
                "This call has no WebRTC connection.",
                action="Candidates belong to calls started with POST /v1/calls.",
                code="not_webrtc",
                status=409,
            )
        for candidate in candidates:
            await call.peer.add_candidate(
                candidate.candidate, candidate.sdpMid, candidate.sdpMLineIndex
            )
        return web.Response(status=204)

    async def status(self, request: web.Request) -> web.Response:
        """Where a call stands."""
        call = self._calls.find(request.match_info["id"])
        session = call.session
        return web.json_response(
            {
                "id": call.id,
                "transport": call.transport,
                "state": call.peer.state if call.peer else "connected",
                "seconds": round(session.elapsed_s, 1) if session else 0.0,
                "turns": session.turns if session else 0,
                "statistics": call.peer.statistics() if call.peer else {},
            }
        )

    async def hang_up(self, request: web.Request) -> web.Response:
        """End a call."""
        self._calls.find(request.match_info["id"]).end("caller")
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


def _fragment(body: str) -> list[_Candidate]:
    """The candidates of an SDP fragment (RFC 8840)."""
    candidates: list[_Candidate] = []
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
                _Candidate(
                    candidate=line.removeprefix("a="), sdpMid=mid, sdpMLineIndex=max(index, 0)
                )
            )
    return candidates


def _parse(model: type[M], body: str) -> M:
    try:
        return model.model_validate_json(body)
    except (ValidationError, UnicodeError) as error:
        place = "body"
        if isinstance(error, ValidationError):
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "body"
        raise PeerError(
            f"`{place}` is missing or wrong.", action="See docs/clients.md.", code="bad_json"
        ) from None


def _unsupported(wanted: str) -> PeerError:
    return PeerError(
        "This content type is not understood.",
        action=f"Send {wanted}.",
        code="unsupported_media_type",
        status=415,
    )
