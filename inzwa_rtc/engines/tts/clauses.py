"""Cutting a text into clauses of bounded length, at the best place there is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# From the best place to cut to the worst; a full stop must be followed by white space,
# so that "3.14" stays whole.
_CUTS = (
    re.compile(r"[.!?…]+[\"'”’)\]]*\s+|\n+\s*"),
    re.compile(r"[,;:–—]+\s+"),
    re.compile(r"\s+"),
)
_PAUSES = re.compile(r"[.!?…,;:–—][\"'”’)\]]*\s*$|\n\s*$")
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of the text; `offset` is its first character's place there."""

    text: str
    offset: int

    @property
    def ends_in_pause(self) -> bool:
        """Whether punctuation ends it, where a speaker would take a breath."""
        return _PAUSES.search(self.text) is not None


@dataclass(frozen=True, slots=True)
class Span:
    """A word's place in its clause: without white space and outer punctuation."""

    start: int
    end: int


def clauses(text: str, limit: int) -> Iterator[Clause]:
    """Yield the text in order, nothing left out, at most `limit` characters at a time."""
    start = 0
    while start < len(text):
        end = start + _cut(text[start : start + limit], len(text) - start > limit)
        yield Clause(text[start:end], start)
        start = end


def word_spans(clause: str) -> list[Span]:
    """Where the words of a clause are, in order."""
    return [_trim(match) for match in _WORD.finditer(clause)]


@dataclass(frozen=True, slots=True)
class Said:
    """A clause's text as it is given to eSpeak; each of its characters, and its end, has a
    place in the clause."""

    text: str
    places: Sequence[int]


def as_written(clause: Clause) -> Said:
    """The text as it is."""
    return Said(clause.text, range(len(clause.text) + 1))


def digits_apart(clause: Clause) -> Said:
    """The text with a space after each digit, for a language whose numbers eSpeak cannot read:
    of several digits together it would leave some out."""
    pieces, places = [], []
    for place, character in enumerate(clause.text):
        spaced = f"{character} " if character.isdigit() else character
        pieces.append(spaced)
        places += [place] * len(spaced)
    return Said("".join(pieces), [*places, len(clause.text)])


def _cut(window: str, more_follows: bool) -> int:
    if not more_follows:
        return len(window)
    for place in _CUTS:
        ends = [match.end() for match in place.finditer(window)]
        if ends:
            return ends[-1]
    return len(window)


def _trim(match: re.Match[str]) -> Span:
    inner = [place for place, one in enumerate(match.group(), match.start()) if _is_of_word(one)]
    if not inner:  # an emoji or a lone sign: it stands for itself
        return Span(match.start(), match.end())
    return Span(inner[0], inner[-1] + 1)


def _is_of_word(character: str) -> bool:
    """Letters and digits, and the marks that letters have: vowels of Hindi among them."""
    return character == "_" or unicodedata.category(character)[0] in "LNM"
