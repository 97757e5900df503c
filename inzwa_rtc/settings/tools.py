"""Settings of what language models may have done."""

from __future__ import annotations

from inzwa_rtc.settings.group import Group


class ToolSettings(Group):
    """Which tools are offered to the language model, and when."""

    enabled: bool = True
