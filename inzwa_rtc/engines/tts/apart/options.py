"""The options that all of these engines have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class ApartOptions(BaseModel):
    """Options under `tts:` in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Path
    """Where the model's files are, on this machine."""
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d{1,2})?)$")] = "auto"
    """`cpu`, `cuda`, `cuda:1`; `auto` takes a GPU where there is one."""
    cpu_model: Path | None = None
    """A smaller model where a GPU is lacking."""
    threads: Annotated[int, Field(ge=0, le=1024)] = 0
    """Threads that compute; 0 is one for each processor."""
    voice: str | None = None
    """The id of the default voice; None: the first there is."""
    clause_chars: Annotated[int, Field(ge=20, le=1000)] = 200
    """The longest stretch of text that is synthesized for one caller before others have their
    turn. It bounds the memory that a request takes, however long its text is."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Makes speech repeatable: the same clause sounds the same each time."""


class CloningOptions(ApartOptions):
    """Those of engines that can speak in the voice of a recording."""

    voices: Path | None = None
    """A folder of recordings, each with a description beside it; see `recorded_voices`."""
