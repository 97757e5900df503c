"""Which latent frames are decoded one after another, so that the first sound leaves early."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_FIRST_MS = 40
"""The first sound of a text: as soon as there is a packet of it or two."""
_GROWTH = 3.0
_LONGEST_MS = 1500
"""Where windows stop to grow. It bounds what a decoding holds, and how long it stays."""


@dataclass(frozen=True, slots=True)
class Window:
    """Frames `start` to `end` give the sound; `first` to `last` are decoded for it."""

    start: int
    end: int
    first: int
    last: int


def windows(frames: int, left: int, right: int, frame_ms: float) -> Iterator[Window]:
    """All frames, in order; a decoder reaches `left` and `right` frames beyond each."""
    start, length_ms = 0, float(_FIRST_MS)
    while start < frames:
        end = min(frames, start + max(1, round(length_ms / frame_ms)))
        yield Window(start, end, max(0, start - left), min(frames, end + right))
        start, length_ms = end, min(_LONGEST_MS, length_ms * _GROWTH)
