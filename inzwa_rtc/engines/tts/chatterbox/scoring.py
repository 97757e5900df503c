"""How well a take says its text, judged by what a recogniser understands of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def word_error(text: str, heard: str) -> float:
    """Word error rate: wrong, missing and added words, divided by the words of the text.

    0 is perfect; more than 1 is possible. Case, punctuation and the form of accents do not
    count. A text without words is said rightly by silence alone: 0, else 1.
    """
    wanted, got = _words(text), _words(heard)
    if not wanted:
        return 1.0 if got else 0.0
    return _distance(wanted, got) / len(wanted)


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return _WORD.findall(plain)


def _distance(wanted: Sequence[str], got: Sequence[str]) -> int:
    """Levenshtein's, in words."""
    row = list(range(len(got) + 1))
    for number, word in enumerate(wanted, 1):
        before, row[0] = row[0], number
        for place, other in enumerate(got, 1):
            cost = min(row[place] + 1, row[place - 1] + 1, before + (word != other))
            before, row[place] = row[place], cost
    return row[-1]
