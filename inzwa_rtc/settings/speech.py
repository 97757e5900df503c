"""Settings of what is spoken, whichever engine speaks it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from inzwa_rtc.settings.group import Group


class SpeechSettings(Group):
    """How texts are read aloud."""

    lexicon: tuple[Path, ...] = ()
    code_blocks: Literal["announce", "skip", "read"] = "announce"
    emoji: Literal["skip", "name"] = "skip"
    ssml: bool = False
    piece_chars: Annotated[int, Field(ge=40, le=5000)] = 300
    crossfade_ms: Annotated[float, Field(ge=0, le=50)] = 10.0
    fade_ms: Annotated[float, Field(ge=0, le=20)] = 3.0


class PhraseCacheSettings(Group):
    """Which spoken phrases are kept, and where. `folder` is where those on disk lie, None for a
    place among the user's caches; nothing is written while `disk_mb` is 0."""

    memory_mb: Annotated[int, Field(ge=0, le=65_536)] = 64
    disk_mb: Annotated[int, Field(ge=0, le=1_048_576)] = 0
    folder: Path | None = None
    max_phrase_s: Annotated[float, Field(gt=0, le=60)] = 10.0
