"""Who may have what done."""

from __future__ import annotations

from inzwa_rtc.settings import Settings
from signaling import not_taken
from signaling.access import caller as callers
from signaling.access.caller import Ability, Caller

SPEAK: Ability = "speak"
TRANSCRIBE: Ability = "transcribe"
ANSWER: Ability = "reply"


def check_may(caller: Caller, ability: Ability, settings: Settings) -> None:
    """Raises `Unavailable` where the operator has switched voice off, and `PeerError` (403) for
    a caller whose voice mode does not let them."""
    if not settings.voice_enabled:
        raise not_taken.voice_disabled()
    callers.check_may(caller, ability)
