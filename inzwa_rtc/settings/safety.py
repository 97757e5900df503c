"""Settings of what may be said."""

from __future__ import annotations

from inzwa_rtc.settings.group import Group


class SafetySettings(Group):
    """What is checked of what callers say and of what is answered."""

    enabled: bool = True
