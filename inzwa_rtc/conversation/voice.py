"""How one caller is spoken to."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class VoiceSettings:
    """Changes count from the next phrase on. Without a `voice` the engine takes the one that
    it has for the language. `wished` is the voice that the caller asked for: None for one who
    has whatever is usual, which the operator may change."""

    language: str
    voice: str | None
    speed: float
    wished: str | None = field(default=None, compare=False)
