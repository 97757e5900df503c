"""A reply that was played, and of which the caller has heard a part."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unheard:
    """Of a turn that was played to its end, and of which the caller has heard a part: its text
    as far as it was heard, and whole."""

    turn: int
    heard: str
    said: str

    @property
    def rest(self) -> str:
        """What they have not heard."""
        return self.said[len(self.heard) :].strip()
