"""Which words of a growing hypothesis can be relied on: local agreement of two decodings.

A recogniser that decodes the whole utterance anew every so often changes its mind about
the last words, hardly about the first. What two decodings in a row begin with is stable
(LocalAgreement-2: Liu et al. 2020; Macháček et al. 2023).
"""

from __future__ import annotations

import re

_WORD = re.compile(r"\S+")


class LocalAgreement:
    """Fed with the text of each decoding of one stretch of audio."""

    def __init__(self) -> None:
        self._last: list[str] = []

    def feed(self, text: str) -> int:
        """How many of the leading characters are words that the decoding before had as well."""
        matches = list(_WORD.finditer(text))
        words = [_bare(match.group()) for match in matches]
        stable = 0
        for before, now, match in zip(self._last, words, matches, strict=False):
            if before != now:
                break
            stable = match.end()
        self._last = words
        return stable


def _bare(word: str) -> str:
    """The word without case and punctuation, which waver most."""
    return "".join(letter for letter in word.casefold() if letter.isalnum())
