"""Cuts a stream of tokens into phrases that can be spoken one after another.

The first phrase is cut at the first clause, so that speech starts early; later
ones at sentences, or at clauses once they are long enough to sound natural.
No character is lost: joined, the phrases are the text.

Each phrase is read by itself, so what is read as one thing stays in one: "Dr. Moyo", "No. 5",
"July 20, 1969", the number of a list and its item.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from inzwa_rtc.speech.text.abbreviations import abbreviations

FIRST_PHRASE_CHARS = 8  # "Hello, " alone would be followed by a gap while more is made
CLAUSE_CHARS = 40
MAX_PHRASE_CHARS = 200
WAIT_S = 0.8  # a slow model without punctuation: speak the words that there are
WAIT_CHARS = 20  # but never word by word

_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|\n")
_CLAUSE_END = re.compile(r"[,;:–—]+[\"'”’)\]]*(?=\s)")
_ITEM_NUMBER = re.compile(r"(?:^|\n)[ \t>*#-]{0,20}\d{1,3}[.)]{1,2}$")
_TIE_CHARS = 32  # longer than anything that ties a number to it: "the 20th of September, "


def cut_whole(text: str) -> list[str]:
    """The phrases of a text that comes at once, with a space behind it."""
    cutter = PhraseCutter()
    return [*cutter.feed(f"{text} ", 0.0), *cutter.flush()]


class PhraseCutter:
    """Feed tokens; take phrases. Synchronous; time is an argument, in seconds."""

    def __init__(self) -> None:
        self._buffer = ""
        self._count = 0
        self._begun_at = 0.0
        self._is_at_line_start = True

    @property
    def deadline(self) -> float | None:
        """When to call `on_time` unless a token comes first; None while nothing can be cut."""
        return self._begun_at + WAIT_S if self._last_joint() >= WAIT_CHARS else None

    def feed(self, token: str, now: float) -> list[str]:
        """Add a token; return the phrases it completes."""
        if not self._buffer:
            self._begun_at = now
        self._buffer += token
        phrases = []
        while cut := self._cut():
            phrases.append(self._take(cut))
            self._begun_at = now
        return phrases

    def on_time(self, now: float) -> list[str]:
        """The phrase has been growing for a while: take its whole words, as many as go without
        what may follow."""
        deadline = self.deadline
        if deadline is None or now < deadline:
            return []
        self._begun_at = now
        return [self._take(self._last_joint())]

    def flush(self) -> list[str]:
        """The stream is over: what is left."""
        return [self._take(len(self._buffer))] if self._buffer else []

    def _take(self, cut: int) -> str:
        phrase, self._buffer = self._buffer[:cut], self._buffer[cut:]
        self._count += bool(phrase.strip())
        self._is_at_line_start = phrase.rstrip(" \t").endswith("\n")
        return phrase

    def _cut(self) -> int:
        """Where the first phrase of the buffer ends, 0 while it is incomplete."""
        least = CLAUSE_CHARS if self._count else FIRST_PHRASE_CHARS
        # No further than a phrase can reach: however long a token is, this stays linear.
        for end in _ends(self._buffer[: MAX_PHRASE_CHARS + 1]):
            is_clause = self._buffer[end - 1] not in ".!?…\n\"'”’)]"
            if is_clause and end < least:
                continue
            if self._buffer[:end].strip() and not self._is_tied(end):
                return self._with_space(end)
        if len(self._buffer) > MAX_PHRASE_CHARS:
            cut = self._last_joint(MAX_PHRASE_CHARS) or self._last_space(MAX_PHRASE_CHARS)
            return cut or MAX_PHRASE_CHARS
        return 0

    def _is_tied(self, end: int) -> bool:
        """Whether what follows `end`, or may yet come, is read together with what is before."""
        if self._buffer[end - 1] == "\n":
            return False
        before = self._buffer[:end].rstrip(" \t")
        if (number := _ITEM_NUMBER.search(before)) and (number.start() or self._is_at_line_start):
            return True
        before = before[-_TIE_CHARS:]
        always, with_number = _ties()
        if always.search(before):
            return True
        following = self._buffer[end:].lstrip()[:1]
        return (not following or following.isdigit()) and with_number.search(before) is not None

    def _with_space(self, end: int) -> int:
        while end < len(self._buffer) and self._buffer[end].isspace():
            end += 1
        return end

    def _last_space(self, before: int | None = None) -> int:
        return next(self._spaces(before), 0)

    def _last_joint(self, before: int | None = None) -> int:
        """The last space that parts nothing that belongs together."""
        return next((cut for cut in self._spaces(before) if not self._is_tied(cut)), 0)

    def _spaces(self, before: int | None) -> Iterator[int]:
        """Where words end, behind their spaces; the last ones first."""
        head = self._buffer[:before]
        least = len(head) - len(head.lstrip())
        return (i + 1 for i in range(len(head) - 1, least - 1, -1) if head[i].isspace())


def _ends(text: str) -> list[int]:
    matches = [*_SENTENCE_END.finditer(text), *_CLAUSE_END.finditer(text)]
    return sorted(match.end() for match in matches)


@cache
def _ties() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What ends no phrase, and what ends none where a number follows."""
    known = abbreviations()
    month = _any_of(known.months | known.short_months)
    day = r"\d{1,2}(?:st|nd|rd|th)?"
    always = rf"\b(?:{_any_of(known.anywhere | known.short_months)}|[A-Z])\.$"
    with_number = (
        rf"\b(?:{_any_of(known.before_number)})\.$"
        rf"|\b(?:{month})\.?(?:\s{day})?,?$|\b{day}\s(?:of\s)?(?:{month})\.?,?$"
    )
    return re.compile(always), re.compile(with_number)


def _any_of(words: frozenset[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
