"""When a tool is offered: once the caller says one of its words.

A small model that sees a tool uses it, asked or not; and each tool that is offered is a prompt
to be read before the first token. So a model sees a tool only where what the caller said is
about it. No I/O.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Said:
    """What a caller said: words in small letters without accents, read once for all gates."""

    words: frozenset[str] = field(repr=False)
    text: str = field(repr=False)
    """The words in their order, a space around each."""

    @classmethod
    def of(cls, text: str) -> Said:
        """The words of a text. Of "weather's" there is "weather" too."""
        words = _words(text)
        return cls(
            frozenset(words) | {word.partition("'")[0] for word in words}, f" {' '.join(words)} "
        )


class Gate:
    """Opens at words, in whichever language they are said: callers mix theirs.

    A word stands for itself alone, not for a part of another; `*` at its beginning or end stands
    for what a language joins to it (`*naya*` for kunaya, ichanaya). Capitals and accents do not
    count. Several words in a row are one.
    """

    def __init__(self, words: Mapping[str, Iterable[str]], *, always: bool = False) -> None:
        self._always = always
        self._words: set[str] = set()
        self._parts: list[str] = []  # of the whole text, a space where a word must end
        for way in (way for several in words.values() for way in several):
            parts = _words(way.strip("*"))
            if not parts:
                continue
            before = "" if way.startswith("*") else " "
            after = "" if way.endswith("*") else " "
            if len(parts) == 1 and before and after:
                self._words.add(parts[0])
            else:
                self._parts.append(f"{before}{' '.join(parts)}{after}")

    def opens(self, said: Said) -> bool:
        """Whether what the caller said is about the tool."""
        return (
            self._always
            or not self._words.isdisjoint(said.words)
            or any(part in said.text for part in self._parts)
        )


def _words(text: str) -> list[str]:
    parts = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(letter for letter in parts if not unicodedata.combining(letter))
    return re.findall(r"[\w']+", letters.replace("’", "'"))
