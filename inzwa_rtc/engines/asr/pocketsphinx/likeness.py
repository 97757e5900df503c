"""Finding the script's phrase in what was heard: word for word, or all but one word."""

from __future__ import annotations

from collections.abc import Iterable

from inzwa_rtc.engines.guide.phrases import NUMBER, bare, read
from inzwa_rtc.engines.guide.script import Phrase

_FEWEST_WORDS = 4  # with fewer, one wrong word leaves too little to go by
_ANY = "*"


class PhraseBook:
    """The phrases of a script, to be looked up by the words heard."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._exact: set[tuple[str, ...]] = set()
        self._but_one: dict[tuple[str, ...], list[Phrase]] = {}
        for phrase in phrases:
            words = phrase.spoken.words
            self._exact |= {words, bare(words)}
            if NUMBER not in words:
                for pattern in _patterns(words):
                    self._but_one.setdefault(pattern, []).append(phrase)

    def holds(self, text: str) -> bool:
        """Whether the text is a phrase, whatever its numbers."""
        words = read(text).words
        return words in self._exact or bare(words) in self._exact

    def nearest(self, text: str) -> str | None:
        """The phrase that the text is but for one word, if only one intent has such phrases."""
        words = read(text).words
        near = [phrase for key in _patterns(words) for phrase in self._but_one.get(key, ())]
        return near[0].text if len({phrase.intent for phrase in near}) == 1 else None


def _patterns(words: tuple[str, ...]) -> list[tuple[str, ...]]:
    if len(words) < _FEWEST_WORDS:
        return []
    return [
        (*words[:place], _ANY, *words[place + 1 :])
        for place, word in enumerate(words)
        if word != NUMBER
    ]
