"""How a server is asked for a call: where the offer goes, and where the answer stands."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from inzwa_rtc.errors import InzwaError

_BUSY = (429, 503)


class Refused(InzwaError):
    """The server takes no more calls at the moment, and says so."""

    code = "call_refused"


class NoCall(InzwaError):
    """The server cannot be asked for calls."""

    code = "no_call"


@dataclass(frozen=True, slots=True)
class Door:
    """`channel` is the label of the data channel that clients of this server open."""

    path: str
    channel: str
    more: Callable[[], Mapping[str, Any]] = dict
    """What an offer has beside `sdp` and `type`."""

    async def answer(
        self, http: aiohttp.ClientSession, url: str, offer: str, key: str | None
    ) -> str:
        """The answer's SDP. Raises `Refused` and `NoCall`."""
        body = {"sdp": offer, "type": "offer", **self.more()}
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        try:
            async with http.post(f"{url}{self.path}", json=body, headers=headers) as response:
                status = response.status
                told = await response.json(content_type=None) if status < 300 else {}
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise NoCall(
                f"There is no answer from {url}{self.path} ({type(error).__name__}).",
                action="Start the server, or correct its address.",
            ) from None
        if status in _BUSY:
            raise Refused("The server takes no more calls.", action="Ask for fewer.")
        if "sdp" not in told:
            raise NoCall(
                f"{url}{self.path} answered {status} to the offer of a call.",
                action="Give its key with --key if it wants one; its log says more.",
            )
        return str(told["sdp"])


INZWA = Door("/v1/calls", "inzwa")
PIPECAT = Door("/api/offer", "pipecat")
FASTRTC = Door("/webrtc/offer", "text", lambda: {"webrtc_id": secrets.token_hex(8)})
