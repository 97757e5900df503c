"""What is common to the bodies of OpenAI's API."""

from __future__ import annotations

import json

from pydantic import BaseModel, ConfigDict

from inzwa_rtc.errors import InzwaError, PeerError
from signaling.api.errors import members_of, status_of
from signaling.api.streams import SentEvent


class Asked(BaseModel):
    """A request: members that are not known are ignored, as OpenAI's own servers add some."""

    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)


def impossible(member: str, why: str) -> PeerError:
    """The request asks for what cannot be done."""
    return PeerError(f"`{member}`: {why}.", action="Leave it out.", code="unsupported_value")


def failed(error: InzwaError) -> SentEvent:
    """An error in a stream, as OpenAI's client looks for it."""
    return SentEvent(json.dumps(members_of(error, "openai", status_of(error))))
