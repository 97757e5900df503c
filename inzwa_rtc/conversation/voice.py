"""How one caller is spoken to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class VoiceSettings:
    """Changes count from the next phrase on. Without a `voice` the engine takes the one that
    it has for the language."""

    language: str
    voice: str | None
    speed: float
