"""From the times of characters to those of words. No I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from inzwa_rtc.engines.contracts import WordTime

_WORD = re.compile(r"\S+")
_LOOK_AHEAD = 16
"""How far on in the text a character may be that is not the next one."""


class CharacterTimes:
    """The times of one text's words, as they become known."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._ahead = [
            found.span() for found in _WORD.finditer(text) if any(map(str.isalnum, found[0]))
        ]
        self._known: list[WordTime] = []
        self._last_ms = 0

    def add(self, characters: Sequence[Any], starts_ms: Sequence[Any], base_ms: float) -> None:
        """Take the characters of the next piece of sound, which begins at `base_ms`.

        It is not documented everywhere whether the times count from the beginning of the piece
        or of the speech: they count from where the first of them is nearer to. Raises
        `ValueError` for what is no such list, `TypeError` for what is no number.
        """
        if len(characters) != len(starts_ms):
            raise ValueError("not a time for each character")
        if not characters:
            return
        from_ms = base_ms if starts_ms[0] < abs(starts_ms[0] - base_ms) else 0.0
        for character, start_ms in zip(characters, starts_ms, strict=True):
            self._place(character, int(start_ms + from_ms))

    def until(self, ms: float) -> tuple[WordTime, ...]:
        """The words that start before this moment and were not told yet."""
        begun = [word for word in self._known if word.start_ms < ms]
        del self._known[: len(begun)]
        return tuple(begun)

    def rest(self, end_ms: int) -> tuple[WordTime, ...]:
        """All others, once the sound has ended."""
        left, self._known = self._known, []
        return tuple(
            WordTime(word.offset, word.length, min(word.start_ms, end_ms)) for word in left
        )

    def _place(self, character: str, ms: int) -> None:
        if not character.strip():
            return
        found = self._text.find(character, self._at, self._at + _LOOK_AHEAD + len(character))
        if found < 0:
            return  # one that the text has not: it was read in another way
        self._at = found + len(character)
        while self._ahead and self._ahead[0][1] <= found:
            del self._ahead[0]
        if self._ahead and self._ahead[0][0] <= found:
            start, end = self._ahead.pop(0)
            self._last_ms = max(self._last_ms, ms)
            self._known.append(WordTime(start, end - start, self._last_ms))
