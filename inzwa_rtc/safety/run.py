"""Finds digits that belong together, as figures or in words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from inzwa_rtc.safety.numbers import Group
from inzwa_rtc.safety.pieces import Piece, joint
from inzwa_rtc.safety.spelled import MoreNeeded, Spelled

_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DIGITS = {word: str(digit) for digit, word in enumerate(_WORDS)} | {"oh": "0"}
_TIMES = {"double": 2, "triple": 3}
_PLUS = "plus"
_LEADS = frozenset((*_TIMES, _PLUS))
_BEGINS = frozenset((*_WORDS, *_LEADS))
_GROUP = re.compile(r"(?P<lead>[(+]*)(?P<digits>\d(?:[ -]\d)+(?!\d)|\d+)")
_LETTER = re.compile(r"(?P<letter>[A-Za-z])(?:[-.]?(?P<digits>\d\d))?")  # of an identity number


class Placed(NamedTuple):
    """A group, and where it stands in the run's text."""

    group: Group
    begin: int
    end: int


@dataclass(slots=True)
class Run:
    """Groups that one number may be made of. `end` is behind the last one's piece. Single digits
    in a row are one group: they are told one by one."""

    groups: list[Placed] = field(default_factory=list)
    end: int = 0
    _ends_single: bool = False

    def add(self, text: str, has_plus: bool, begin: int, end: int, is_single: bool) -> None:
        """One more group."""
        if self._ends_single and is_single and not has_plus:
            last = self.groups.pop()
            text, has_plus, begin = last.group.text + text, last.group.has_plus, last.begin
        self.groups.append(Placed(Group(text, has_plus), begin, end))
        self._ends_single = is_single

    def add_figures(self, text: str, has_plus: bool, begin: int, offset: int) -> None:
        """Groups as they are written. What leads the first one begins at `begin`, and the text
        at `offset`."""
        if not text.isascii():
            text = "".join(str(unicodedata.decimal(one, one)) for one in text)
        for match in _GROUP.finditer(text):
            lead, digits = match.groups()
            is_single = len(digits) == 1 or digits[1] in " -"
            self.add(
                digits[::2] if is_single else digits,
                has_plus or "+" in lead,
                offset + match.start() if match.start() else begin,
                offset + match.end(),
                is_single,
            )
            has_plus = False

    @property
    def goes_on_behind_commas(self) -> bool:
        """Whether so begins what is written with commas in it: a phone number by its zero or
        plus, a card by four figures. Other numbers make a list then."""
        first = self.groups[0].group
        begins_card = len(first.text) == 4 and first.text[0] in "3456"
        return first.has_plus or first.text[0] == "0" or begins_card


def begins_run(piece: Piece) -> bool:
    """Whether digits may begin here."""
    return piece.kind == "digits" or piece.text.lower() in _BEGINS


def run_from(pieces: Sequence[Piece], at: int, spelled: Spelled, is_whole: bool) -> Run:
    """The run that begins at a piece; without groups if there is none. It ends where an address
    begins. Raises `MoreNeeded`."""
    run = Run()
    begin = offset = 0
    has_plus, times = False, 1
    while at < len(pieces):
        piece, word = pieces[at], pieces[at].text.lower()
        end = offset + len(word)
        if run.groups and spelled.end(at):
            return run
        if piece.kind == "digits":
            run.add_figures(piece.text, has_plus, begin, offset)
        elif word in _DIGITS and (run.groups or has_plus or word != "oh"):
            run.add(_DIGITS[word] * times, has_plus, begin, end, True)
        elif word in _LEADS:
            has_plus, times = has_plus or word == _PLUS, _TIMES.get(word, 1)
        elif run.groups and piece.kind == "name" and (match := _LETTER.fullmatch(piece.text)):
            run.add(match["letter"], False, offset, offset + 1, False)
            if match["digits"]:
                run.add(match["digits"], False, end - 2, end, False)
        else:
            return run
        if word not in _LEADS:
            run.end, has_plus, times = at + 1, False, 1
        behind = _behind_gap(pieces, at + 1, run, is_whole)
        if not behind:
            return run
        offset = end + sum(len(gap.text) for gap in pieces[at + 1 : behind])
        at = behind
        if word not in _LEADS:
            begin = offset
    if is_whole:
        return run
    raise MoreNeeded


def _behind_gap(pieces: Sequence[Piece], at: int, run: Run, is_whole: bool) -> int:
    """Where the run may go on; 0 if it can not."""
    if at == len(pieces) or pieces[at].kind != "gap":
        return at
    gap = joint(pieces[at].text, at == len(pieces) - 1 and not is_whole)
    goes_on = gap.digits or (gap.comma and bool(run.groups) and run.goes_on_behind_commas)
    return at + 1 if goes_on else 0
