"""Reads phrases as rule files write them.

    <how> {kill} ~2 {person}        a fragment, a list of words, up to two words between, a list;
                                    fragments, of which any line will do, begin a phrase
    take|end my own? life           either word; a word that may lack
    crack !egg|nut                  any word but these
    ^ ... $                         at the beginning of a sentence, at its end

Words are written in small letters. Behind a word stands what is to be made of it: `stab.v` is
all forms of a verb, `bomb.n` of a noun, as the language of the file has them. Shona verbs are
written by their stems, see shona.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from inzwa_rtc.safety.automaton import ANY, BEGINNING, END, Phrase, Place, Row

MOST_BETWEEN = 8
_WORD = re.compile(r"[^\W_]+(?:['@$][^\W_]+)*(?:\.[vn])?|\^|\$")
_STEM = re.compile(r"(?:-|(?:ku-|ndi-)?(?:zvi-)?)(?P<stem>[a-z]+)-(?:w-)?")
_GAP = re.compile(r"~([0-9])")

Inflect = Callable[[str], frozenset[str]]


class Misspelt(ValueError):
    """A phrase or a list that cannot be read; says why."""


@dataclass(frozen=True)
class Grammar:
    """What phrases of one file may name."""

    verb: Inflect
    noun: Inflect
    lists: Mapping[str, frozenset[str]]
    fragments: Mapping[str, Sequence[str]]

    def words(self, text: str) -> frozenset[str]:
        """All forms of the words of a list. Raises `Misspelt`."""
        return frozenset().union(*(self._forms(word) for word in text.split()))

    def phrase(self, text: str) -> Phrase:
        """What a line means. Raises `Misspelt`."""
        opening, *others = text.split()
        if not (opening.startswith("<") and opening.endswith(">")):
            return Phrase(_ending_in_a_word(self._row(text)))
        if opening[1:-1] not in self.fragments:
            raise Misspelt(f"`{opening}` is not among the fragments")
        openings = tuple(self._row(line) for line in self.fragments[opening[1:-1]])
        for row in openings:
            if all(place.may_lack for place in row):
                raise Misspelt(f"of `{opening}` all may lack")
        return Phrase(_ending_in_a_word(self._row(" ".join(others))), openings)

    def _row(self, text: str) -> Row:
        return tuple(place for element in text.split() for place in self._places(element))

    def _places(self, element: str) -> Iterator[Place]:
        if gap := _GAP.fullmatch(element):
            if not 1 <= int(gap[1]) <= MOST_BETWEEN:
                raise Misspelt(f"`{element}`: from ~1 to ~{MOST_BETWEEN}")
            yield from [ANY] * int(gap[1])
            return
        may_lack = element.endswith("?")
        is_other = element.startswith("!")
        words = frozenset[str]().union(
            *(self._alternative(one) for one in element.strip("!?").split("|"))
        )
        yield Place(words, takes_others=is_other, may_lack=may_lack)

    def _alternative(self, text: str) -> frozenset[str]:
        if text.startswith("{") and text.endswith("}"):
            if text[1:-1] not in self.lists:
                raise Misspelt(f"`{text}` is not among the lists of words")
            return self.lists[text[1:-1]]
        return self._forms(text)

    def _forms(self, word: str) -> frozenset[str]:
        if stem_of(word) is not None or word in (BEGINNING, END):
            return frozenset((word,))
        if not _WORD.fullmatch(word) or word != word.casefold():
            raise Misspelt(f"`{word}` is not a word in small letters")
        base, _, form = word.partition(".")
        return {"v": self.verb, "n": self.noun}.get(form, _as_it_is)(base)


def stem_of(word: str) -> str | None:
    """The stem of a Shona verb as rules write it, None of any other word."""
    match = _STEM.fullmatch(word)
    return match["stem"] if match else None


def _as_it_is(base: str) -> frozenset[str]:
    return frozenset((base,))


def _ending_in_a_word(row: Row) -> Row:
    if not row or row[-1].may_lack:
        raise Misspelt("it must end in a word that may not lack")
    if all(place.takes_others for place in row):
        raise Misspelt("it names no word")
    return row
