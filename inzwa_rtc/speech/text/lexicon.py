"""The operator's own pronunciations: words and phrases, and how they are to be spoken."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from inzwa_rtc.language import base_language
from inzwa_rtc.speech.text.expansion import Rule
from inzwa_rtc.speech.text.tracked import Edit

ALL_LANGUAGES = "*"

_TOKEN = re.compile(r"\w+|[^\w\s]")
_IN_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Spoken respellings by language (BCP 47, or `*` for all) and written word or phrase.

    What is written in small letters alone stands for any case, anything else for itself alone:
    `us` is said for "US" too, `US` not for "us". Only whole words are replaced; of two entries
    the longer one holds, and a region's (`en-GB`) goes before its language's.
    """

    entries: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    _rules: dict[str, tuple[Rule, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def rules(self, language: str) -> tuple[Rule, ...]:
        """The entries for a language as a rule; none where there are none."""
        if not self.entries:
            return ()
        found = self._rules.get(language)
        if found is None:
            found = self._rules[language] = tuple(self._made(language))
        return found

    def _made(self, language: str) -> Iterator[Rule]:
        merged: dict[str, str] = {}
        wanted = (ALL_LANGUAGES, base_language(language), language.lower())
        for name in dict.fromkeys(wanted):
            for tag, entries in self.entries.items():
                if tag.lower() == name:
                    merged |= entries
        if merged:
            yield Rule(_TOKEN, _Respelling(merged).at)


class _Respelling:
    """Looks entries up by their first word, so that ten thousand cost no more than ten."""

    def __init__(self, entries: Mapping[str, str]) -> None:
        self._by_first: dict[str, list[tuple[str, str]]] = {}
        for written in sorted(entries, key=lambda one: (len(one), not one.islower()), reverse=True):
            first = _TOKEN.match(written)
            if first:
                self._by_first.setdefault(first.group().lower(), []).append(
                    (written, entries[written])
                )

    def at(self, match: re.Match[str]) -> Edit | None:
        """The entry that stands in a text where the match begins."""
        for written, said in self._by_first.get(match.group().lower(), ()):
            start, end = match.start(), match.start() + len(written)
            found = match.string[start:end]
            if found != written and (written != written.lower() or found.lower() != written):
                continue
            if _goes_on(match.string, end) and _IN_WORD.match(written[-1]):
                continue
            return Edit(start, end, said)
        return None


def _goes_on(text: str, end: int) -> bool:
    return end < len(text) and _IN_WORD.match(text[end]) is not None


def merged(lexicons: Sequence[Lexicon]) -> Lexicon:
    """Several lexicons as one; later ones go before earlier ones."""
    entries: dict[str, dict[str, str]] = {}
    for lexicon in lexicons:
        for language, words in lexicon.entries.items():
            entries.setdefault(language, {}).update(words)
    return Lexicon(entries)
