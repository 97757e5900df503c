"""The settings under `speech:`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from inzwa_rtc.settings_group import Group


class SpeechSettings(Group):
    """How texts are read aloud, whichever engine speaks."""

    code_blocks: Literal["announce", "skip", "read"] = "announce"
    emoji: Literal["skip", "name"] = "skip"
    piece_chars: Annotated[int, Field(ge=40, le=5000)] = 300
    crossfade_ms: Annotated[float, Field(ge=0, le=50)] = 10.0
    fade_ms: Annotated[float, Field(ge=0, le=20)] = 3.0
