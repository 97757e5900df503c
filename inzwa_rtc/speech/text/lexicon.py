"""The operator's own pronunciations."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lexicon:
    """How words and phrases are to be spoken, by language."""
