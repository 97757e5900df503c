"""The shipped rules at work."""

from __future__ import annotations

from functools import cache

from inzwa_rtc.pseudonym import Pseudonyms
from inzwa_rtc.safety import Safety
from inzwa_rtc.settings import Settings
from inzwa_rtc.settings.safety import SafetySettings


def shipped(settings: Settings | None = None) -> Safety:
    """What a server of these settings says and refuses; made once for those that change
    nothing of it."""
    group = settings.safety if settings is not None else SafetySettings()
    return _as_shipped() if group == SafetySettings() else Safety(group, Pseudonyms(None))


@cache
def _as_shipped() -> Safety:
    return Safety(SafetySettings(), Pseudonyms(None))
