"""Why a call, or other work, is not taken."""

from __future__ import annotations

from inzwa_rtc.errors import PeerError, Unavailable

RETRY_AFTER_S = 5


def voice_disabled() -> Unavailable:
    """The operator has switched voice off."""
    return Unavailable(
        "Voice is disabled on this server.",
        action="Ask the operator to set voice_enabled.",
        code="voice_disabled",
    )


def draining() -> Unavailable:
    """The server lets nobody in, for good or for a while."""
    return Unavailable(
        "The server is shutting down, or takes nothing new for a while.",
        action="Try again in a moment.",
        code="draining",
        retry_after_s=RETRY_AFTER_S,
    )


def server_full() -> Unavailable:
    """There is no place."""
    return Unavailable(
        "All lines of this server are busy.",
        action=f"Try again in {RETRY_AFTER_S} seconds.",
        code="server_full",
        retry_after_s=RETRY_AFTER_S,
    )


def server_busy() -> Unavailable:
    """There are places, but the machine is too busy for one more call."""
    return Unavailable(
        "This server is too busy for another call.",
        action=f"Try again in {RETRY_AFTER_S} seconds.",
        code="server_busy",
        retry_after_s=RETRY_AFTER_S,
    )


def webrtc_disabled() -> Unavailable:
    """The operator has switched WebRTC off."""
    return Unavailable(
        "WebRTC is disabled on this server.",
        action="Use the WebSocket at /v1/ws.",
        code="webrtc_disabled",
    )


def call_ended() -> PeerError:
    """It cannot be taken up again."""
    return PeerError(
        "This call has ended.",
        action="Start a new call.",
        code="call_ended",
        status=410,
    )


def call_not_begun() -> PeerError:
    """Its first connection does not stand yet, or it is none that can be taken up again."""
    return PeerError(
        "This call has not begun, or cannot be taken up again.",
        action="Wait for `session.started`, or start a new call.",
        code="call_not_begun",
        status=409,
    )
