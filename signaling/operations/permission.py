"""Who may have what done."""

from __future__ import annotations

from inzwa_rtc.errors import PeerError, Unavailable
from inzwa_rtc.settings import Settings
from inzwa_rtc.users import VoiceMode
from signaling.access.caller import Caller

SPEAK: tuple[VoiceMode, ...] = ("tts_only", "conversation")
"""Voice modes of those who are read to."""

TRANSCRIBE: tuple[VoiceMode, ...] = ("transcribe_only", "conversation")
"""Of those who are written down."""

ANSWER: tuple[VoiceMode, ...] = ("conversation",)
"""Of those who are answered."""


def check_may(caller: Caller, modes: tuple[VoiceMode, ...], settings: Settings) -> None:
    """Raises `Unavailable` where the operator has switched voice off, and `PeerError` (403) for
    a caller in another voice mode."""
    if not settings.voice_enabled:
        raise Unavailable(
            "Voice is disabled on this server.",
            action="Ask the operator to set voice_enabled.",
            code="voice_disabled",
        )
    mode = caller.settings.voice_mode
    if mode not in modes:
        raise PeerError(
            f"This user's voice mode is `{mode}`.",
            action=f"It takes one of: {', '.join(modes)}.",
            code="voice_mode",
            status=403,
        )
