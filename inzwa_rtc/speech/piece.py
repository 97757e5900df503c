"""What a synthesizer is given of a text, and where in the text it comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` of a piece stand for `source_start` to `source_end` of the
    text: "twenty-six" for "26", "Doctor" for "Dr."."""

    start: int
    end: int
    source_start: int
    source_end: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence or so, ready to be spoken: numbers and signs are words by now.

    `spans` are its words in order; they neither overlap nor go back, here or in the text.
    `speed` is a factor on the pace that is asked for, `gain_db` on the loudness, `pause_ms` the
    silence after it (on top of what the voice itself leaves), which a piece without text may
    consist of. `language` is BCP 47.
    """

    text: str
    language: str
    spans: tuple[Span, ...] = ()
    speed: float = 1.0
    gain_db: float = 0.0
    pause_ms: int = 0
