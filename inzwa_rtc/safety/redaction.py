"""Takes personal data out of a text as it comes, piece by piece.

What may be the beginning of a span is held back until it is known; everything else goes on at
once. However the text was cut, what comes out is the same when it is joined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inzwa_rtc.safety.numbers import Asked, Finder
from inzwa_rtc.safety.pieces import Piece, Waiting, goes_on_with_digits, pieces
from inzwa_rtc.safety.ruleset import Kind
from inzwa_rtc.safety.run import Run, begins_run, run_from
from inzwa_rtc.safety.spelled import MoreNeeded, Spelled

# Characters, more than any span has: digits without end are not held without end. Where
# they are cut then depends on how the text came.
LONGEST_HELD = 200

_NEVER_TAKEN = frozenset(("gap", "plain", "word"))


@dataclass(frozen=True, slots=True)
class Redactions:
    """What is taken out, and the words that stand for it in one language."""

    kinds: frozenset[Kind]
    finder: Finder
    words: Mapping[Kind, str]


class Redactor:
    """For one text. `feed` and `finish` return what may go on."""

    def __init__(self, redactions: Redactions) -> None:
        self._redactions = redactions
        self._asked = Asked()
        self._held = Waiting()
        self._is_in_run = False
        self.found: list[Kind] = []

    def feed(self, text: str) -> str:
        """More of the text."""
        if not self._redactions.kinds:
            return text
        if self._is_in_run and goes_on_with_digits(text) and len(self._held) < LONGEST_HELD:
            self._held.add(text)  # it will be looked at once it is over
            return ""
        told = self._redacted(pieces(self._held.add(text)), is_whole=False)
        return told + self.finish() if len(self._held) > LONGEST_HELD else told

    def finish(self) -> str:
        """The text is over: what was held back."""
        return self._redacted(pieces(self._held.text), is_whole=True)

    def _redacted(self, found: Sequence[Piece], *, is_whole: bool) -> str:
        told: list[str] = []
        spelled = Spelled(found, is_whole)
        at = 0
        try:
            while at < len(found):
                if found[at].kind in _NEVER_TAKEN:
                    told.append(found[at].text)
                    at += 1
                else:
                    text, at = self._next(found, at, spelled, is_whole)
                    told.append(text)
        except MoreNeeded:
            pass
        self._is_in_run = at < len(found) and found[at].kind == "digits"
        self._held.take(len(_joined(found[:at])))
        return "".join(told)

    def _next(
        self, found: Sequence[Piece], at: int, spelled: Spelled, is_whole: bool
    ) -> tuple[str, int]:
        """What to tell of the piece at `at`, and where to go on. Raises `MoreNeeded`."""
        piece, kinds = found[at], self._redactions.kinds
        if piece.kind == "mail" and "email" in kinds:
            return self._word("email", piece.text), at + 1
        if piece.kind == "mail":
            return piece.text, at + 1
        if "email" in kinds and (end := spelled.end(at)):
            return self._word("email", ""), end
        if begins_run(piece):
            run = run_from(found, at, spelled, is_whole)
            if run.groups:
                return self._numbers(run, _joined(found[at : run.end])), run.end
        return piece.text, at + 1

    def _numbers(self, run: Run, text: str) -> str:
        told: list[str] = []
        at = 0
        groups = [one.group for one in run.groups]
        for first, behind, kind in self._redactions.finder.spans(groups, self._asked):
            begin, end = run.groups[first].begin, run.groups[behind - 1].end
            told += [text[at:begin], self._word(kind, text[begin:end])]
            at = end
        return "".join([*told, text[at:]])

    def _word(self, kind: Kind, text: str) -> str:
        self.found.append(kind)
        opened = max(0, text.count("(") - text.count(")"))
        return "(" * opened + self._redactions.words[kind]


def _joined(found: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in found)
