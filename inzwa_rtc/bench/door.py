"""How a server is asked for a call: where the offer goes, and where the answer stands."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from inzwa_rtc.errors import InzwaError

_FULL = "server_full"


class Refused(InzwaError):
    """The server is full; `retry_after_s` says when it asks to be tried again."""

    code = "call_refused"

    def __init__(self, message: str, *, action: str = "", retry_after_s: float = 0.0) -> None:
        super().__init__(message, action=action)
        self.retry_after_s = retry_after_s


class NoCall(InzwaError):
    """A call did not come about, and nobody said why: there was no answer, or no media."""

    code = "no_call"


class NotLetIn(InzwaError):
    """The server does not take the calls of this caller, however few there are: for want of a
    key, by its rates, or because it takes none at all."""

    code = "not_let_in"


@dataclass(frozen=True, slots=True)
class Door:
    """`channel` is the label of the data channel that clients of this server open; `cut` is the
    type of the message by which it says there that a turn was cancelled, if it does."""

    path: str
    channel: str
    more: Callable[[], Mapping[str, Any]] = dict
    """What an offer has beside `sdp` and `type`."""
    cut: str | None = None

    async def answer(
        self, http: aiohttp.ClientSession, url: str, offer: str, key: str | None
    ) -> str:
        """The answer's SDP. Raises `Refused`, `NotLetIn` and `NoCall`."""
        body = {"sdp": offer, "type": "offer", **self.more()}
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        try:
            async with http.post(f"{url}{self.path}", json=body, headers=headers) as response:
                status, after_s = response.status, _seconds(response.headers.get("Retry-After"))
                text = await response.text()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise NoCall(
                f"There is no answer from {url}{self.path} ({type(error).__name__}).",
                action="Start the server, or correct its address.",
            ) from None
        told = _object(text)
        if status < 300 and "sdp" in told:
            return str(told["sdp"])
        if told.get("code") == _FULL:
            raise Refused("The server takes no more calls.", retry_after_s=after_s)
        raise _not_let_in(f"{url}{self.path}", status, told)


def _not_let_in(where: str, status: int, told: Mapping[str, Any]) -> NotLetIn:
    """In the server's own words, where it has any."""
    why = f": {told['message']}" if told.get("message") else "."
    action = "Give its key with --key if it wants one; its log says more."
    if status == 429:
        action = "Have it allow any number of calls a minute while it is measured."
    elif told.get("action"):
        action = str(told["action"])
    return NotLetIn(f"{where} answered {status} to the offer of a call{why}", action=action)


def _object(text: str) -> Mapping[str, Any]:
    """The members of a JSON object; none where it is anything else."""
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _seconds(header: str | None) -> float:
    return float(header) if header is not None and header.isdecimal() else 0.0


INZWA = Door("/v1/calls", "inzwa", cut="turn.interrupted")
PIPECAT = Door("/api/offer", "pipecat")
FASTRTC = Door("/webrtc/offer", "text", lambda: {"webrtc_id": secrets.token_hex(8)})
