"""From a text to the numbers of its symbols: what a VITS model reads."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from inzwa_rtc.engines.tts.clauses import Span, word_spans
from inzwa_rtc.engines.tts.onnx.runtime import Stop

_APOSTROPHES = "\u2019\u02bc"  # as typesetters and some orthographies write them

MOST_IDS = 1000
"""Of one run: an encoder's work, and the memory that it takes, grow with the square. Text in
the voice's own language stays below; a sign of a foreign script may be read as a dozen."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A word of the text, and the place of its first symbol among the `ids`."""

    id_index: int
    span: Span


@dataclass(frozen=True, slots=True)
class Spelling:
    """What a model is given at once, and the words in it, in order."""

    ids: tuple[int, ...]
    words: tuple[Begun, ...]


class Speller(Protocol):
    """Knows the symbols of one voice."""

    @property
    def largest_id(self) -> int:
        """The largest number that it may give."""
        ...

    @property
    def identity(self) -> str:
        """Another string wherever a text would be spelt otherwise."""
        ...

    def spell(self, text: str, stop: Stop) -> Sequence[Spelling]:
        """A sentence or so, in one or more parts of at most `MOST_IDS`; none where there is
        nothing to say. Raises `Stopped`."""
        ...


@dataclass(frozen=True, slots=True)
class SymbolTable:
    """The numbers of each symbol, and those that stand before, between and after them."""

    ids: Mapping[str, tuple[int, ...]]
    begin: tuple[int, ...] = ()
    between: tuple[int, ...] = ()
    end: tuple[int, ...] = ()

    @property
    def largest_id(self) -> int:
        """The largest number in it."""
        all_ids = [*self.ids.values(), self.begin, self.between, self.end]
        return max(number for numbers in all_ids for number in numbers)

    def spellings(self, symbols: Sequence[str], begun: Mapping[int, Span]) -> Iterator[Spelling]:
        """All symbols, in as many parts as it takes. `begun` has the words that begin at symbols;
        symbols without a number are left out."""
        start, end = 0, -1
        while end < len(symbols):
            end = self._fitting(symbols, start)
            words = {at - start: span for at, span in begun.items() if start <= at < end}
            yield self._spelling(symbols[start:end], words)
            start = end

    def _fitting(self, symbols: Sequence[str], start: int) -> int:
        """The end of a part that begins at `start`: after a space where there is one."""
        count = len(self.begin) + len(self.between) + len(self.end)
        end, space = start, start
        for place in range(start, len(symbols)):
            numbers = self.ids.get(symbols[place])
            if numbers is None:
                continue
            count += len(numbers) + len(self.between)
            if count > MOST_IDS and end > start:
                return space if space > start else end
            end = place + 1
            space = end if symbols[place] == " " else space
        return len(symbols)

    def _spelling(self, symbols: Sequence[str], begun: Mapping[int, Span]) -> Spelling:
        ids = [*self.begin, *self.between]
        words: list[Begun] = []
        waiting: Span | None = None
        for number, symbol in enumerate(symbols):
            waiting = begun.get(number, waiting)
            if symbol not in self.ids:
                continue
            if waiting is not None:
                words.append(Begun(len(ids), waiting))
                waiting = None
            ids += [*self.ids[symbol], *self.between]
        return Spelling((*ids, *self.end), tuple(words))


class Graphemes:
    """Reads letter by letter, as MMS voices do. Of a letter with a mark that it does not know it
    reads the letter; other characters that it does not know are left out."""

    def __init__(self, table: SymbolTable, *, cases: str = "kept", form: str = "NFC") -> None:
        """`cases` is `folded` for a voice that knows small letters only; `form` is `NFD` for
        one that knows letters and their marks apart."""
        self._table = table
        self._folds = cases == "folded"
        self._decomposes = form == "NFD"
        self.largest_id = table.largest_id
        self.identity = f"graphemes {cases} {form} {table}"

    def spell(self, text: str, stop: Stop) -> Sequence[Spelling]:
        """One spelling for most sentences, or none."""
        stop.check()
        begun = {span.start: span for span in word_spans(text)}
        symbols: list[str] = []
        words: dict[int, Span] = {}
        has_letters = False
        for place, character in enumerate(text):
            known = [one for one in self._forms(character) if one in self._table.ids]
            if place in begun:
                words[len(symbols)] = begun[place]
            if known == [" "] and symbols[-1:] in ([], [" "]):
                continue
            has_letters = has_letters or any(one.isalnum() for one in known)
            symbols += known
        if symbols[-1:] == [" "]:
            symbols.pop()
        return list(self._table.spellings(symbols, words)) if has_letters else []

    def _forms(self, character: str) -> str:
        """What stands for a character: itself where the voice knows it, else what is nearest."""
        if character.isspace():
            return " "
        if character in _APOSTROPHES and character not in self._table.ids:
            return "'"
        if self._folds and character not in self._table.ids:
            character = character.lower()
        if self._decomposes or character not in self._table.ids:
            return unicodedata.normalize("NFD", character)
        return character
