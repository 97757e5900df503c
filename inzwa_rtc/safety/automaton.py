"""Looks for many phrases at once, in one pass over the words of a text.

Every phrase is a row of places, each of which takes certain words; all places of all phrases
are the bits of one number. A set bit means that a phrase has been followed up to this place.
With each word all phrases move on together, by a shift and a few operations on whole numbers
(the Shift-And algorithm with optional places, Navarro and Raffinot, 2002). So the time a text
takes grows with its length alone, whatever it says: there is nothing to go back to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

BEGINNING = "^"
END = "$"
"""Stand for where a sentence begins and ends; no place takes them that does not name them."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one word is expected: one of `words`, or any that is not. A place that `may_lack`
    may be passed over."""

    words: frozenset[str]
    takes_others: bool = False
    may_lack: bool = False


ANY = Place(frozenset(), takes_others=True, may_lack=True)
"""A word between two others, or none."""

Row = tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in a row, the last of which may not lack. Where there are `openings`, one of these
    comes before it; many phrases share them."""

    row: Row
    openings: tuple[Row, ...] = ()


class Automaton:
    """Holds no state: `step` takes that of a reader and returns the next one, 0 being the
    first."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._taken: dict[str, int] = {}
        self._refused: dict[str, int] = {}
        self._first = self._last = self._may_lack = self._any = 0
        self._bits = 0
        self._phrase_of: dict[int, int] = {}
        opened: dict[tuple[Row, ...], int] = {}
        for number, phrase in enumerate(phrases):
            first = self._place(phrase.row)
            self._last |= 1 << (self._bits - 1)
            self._phrase_of[self._bits - 1] = number
            self._bits += 1  # takes nothing, so that no phrase runs on into the next one
            if phrase.openings:
                opened[phrase.openings] = opened.get(phrase.openings, 0) | first
            else:
                self._first |= first
        self._opened = [(self._open(rows), entries) for rows, entries in opened.items()]

    @property
    def words(self) -> Iterable[str]:
        """All that any place names."""
        return self._taken.keys() | self._refused.keys()

    def takers(self, keys: Iterable[str]) -> int:
        """The places that take a word which is known by these names."""
        taken, refused = 0, 0
        for key in keys:
            taken |= self._taken.get(key, 0)
            refused |= self._refused.get(key, 0)
        return (self._any & ~refused) | taken

    def boundary(self, key: str) -> int:
        """The places that take the beginning or the end of a sentence."""
        return self._taken.get(key, 0)

    def step(self, state: int, takers: int) -> int:
        """Where all phrases are after one more word."""
        expected = (state << 1) | self._first
        for opened, entries in self._opened:
            if state & opened:
                expected |= entries
        # A carry runs through places that may lack, up to the first one that may not.
        may_lack = self._may_lack
        expected |= ((expected & may_lack) + may_lack) ^ may_lack
        return expected & takers

    def complete(self, state: int) -> int:
        """Of a state, what says that phrases are complete; 0 if none is."""
        return state & self._last

    def phrases(self, complete: int) -> Iterator[int]:
        """The numbers of the phrases that are complete."""
        while complete:
            lowest = complete & -complete
            yield self._phrase_of[lowest.bit_length() - 1]
            complete ^= lowest

    def _open(self, rows: Iterable[Row]) -> int:
        """Lay out openings; where they may end."""
        ends = 0
        for row in rows:
            self._first |= self._place(row)
            bit = 1 << (self._bits - 1)
            for place in reversed(row):
                ends |= bit
                if not place.may_lack:
                    break
                bit >>= 1
            self._bits += 1
        return ends

    def _place(self, row: Row) -> int:
        """Lay out a row; its first bit."""
        first = 1 << self._bits
        for place in row:
            bit = 1 << self._bits
            table = self._refused if place.takes_others else self._taken
            for word in place.words:
                table[word] = table.get(word, 0) | bit
            if place.takes_others:
                self._any |= bit
            if place.may_lack:
                self._may_lack |= bit
            self._bits += 1
        return first
