"""What engines refuse because of the request, told as the client's fault."""

from __future__ import annotations

from inzwa_rtc.errors import EngineError, InzwaError, PeerError

_OF_THE_REQUEST = frozenset(
    {
        "bad_ssml",
        "bad_speed",
        "cannot_translate",
        "text_too_long",
        "unknown_language",
        "unknown_voice",
    }
)


def told(error: EngineError) -> InzwaError:
    """The error as it is to be told to whoever sent the request."""
    if error.code in _OF_THE_REQUEST:
        return PeerError(error.message, action=error.action, code=error.code)
    return error
