"""Which intent of a script a caller means: the same words, or nearly the same."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from inzwa_rtc.engines.guide.phrases import NUMBER, bare, read
from inzwa_rtc.engines.guide.script import Phrase

_NEAR_ENOUGH = 0.7
_MOST_CHARS = 500
"""Nothing longer is a question that the script knows (a sum of the two longest numbers has
about 250): it is not read, so that no text, however long, keeps other callers waiting."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """The intent meant, and the numbers named with it."""

    intent: str
    numbers: tuple[int, ...] = ()


class Matcher:
    """Finds intents by their phrases.

    A text that is not a phrase is compared with all of them by the words they
    share, rare words counting more than common ones. Phrases with numbers take
    part only word by word: a sum that was half understood is worse than none.
    """

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._exact: dict[tuple[str, ...], str] = {}
        self._near: list[tuple[frozenset[str], str]] = []
        for phrase in phrases:
            words = bare(phrase.spoken.words)
            self._exact[words] = phrase.intent
            if NUMBER not in words and len(words) > 1:
                self._near.append((frozenset(words), phrase.intent))
        self._count = Counter(word for words, _ in self._near for word in words)

    def match(self, text: str) -> Meaning | None:
        """The intent that the text means, or None."""
        if len(text) > _MOST_CHARS:
            return None
        spoken = read(text)
        words = bare(spoken.words)
        for form in (spoken.words, words):
            if form in self._exact:
                return Meaning(self._exact[form], spoken.numbers)
        if NUMBER in words:
            return None
        intent = self._nearest(frozenset(words))
        return Meaning(intent) if intent else None

    def _nearest(self, words: frozenset[str]) -> str | None:
        best, intent = 0.0, None
        said = self._weight(words)
        for known, owner in self._near:
            shared = self._weight(words & known)
            likeness = 2 * shared / (said + self._weight(known)) if shared else 0.0
            if likeness > best:
                best, intent = likeness, owner
        return intent if best >= _NEAR_ENOUGH else None

    def _weight(self, words: frozenset[str]) -> float:
        total = len(self._near) + 1
        return sum(math.log(1 + total / (1 + self._count[word])) for word in words)
