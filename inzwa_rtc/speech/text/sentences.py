"""Cuts text into sentences, and what is spoken of them into pieces of a size."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentencex import get_sentence_boundaries

from inzwa_rtc.language import base_language
from inzwa_rtc.speech.text.tracked import Tracked

FIRST_CHARS = 60  # a first piece above this is cut at its first clause: sound starts early
LEAST_CLAUSE_CHARS = 8  # "Yes, " alone would be followed by a gap

# What ends no sentence, beside what the library knows: "Apt. 4B", "der 2. Mann".
_GOES_ON = {
    "en": re.compile(r"\b[Aa]pt\.\s*$"),
    "de": re.compile(r"(?i:\b(?:der|die|das|dem|den|des|am|im|vom|zum|zur|beim)\s\d{1,3}\.\s*$)"),
}

_CLAUSE = re.compile(r"[,;:–—…،؛、，；：][\"'”’)\]]{0,3}\s+|[、，；：。！？]")


def sentences(text: Tracked, language: str) -> Iterator[Tracked]:
    """The sentences of a text of some lines. Abbreviations of the language end none."""
    if not text.text.strip():
        return
    goes_on = _GOES_ON.get(base_language(language))
    start = 0
    # The library takes text that UTF-8 can hold; lone surrogates have gone before.
    for one in get_sentence_boundaries(base_language(language), text.text):
        end = one["end_index"]
        if goes_on and end < len(text) and goes_on.search(text.text, max(start, end - 30), end):
            continue
        yield text[start:end]
        start = end


def first_clause(text: Tracked) -> int:
    """Where the first clause ends that can stand alone; 0 where the text is short or has none."""
    if len(text) <= FIRST_CHARS:
        return 0
    for match in _CLAUSE.finditer(text.text, LEAST_CLAUSE_CHARS):
        if match.end() > 2 * FIRST_CHARS:
            break
        if _is_between(text, match.end()):
            return match.end()
    return 0


def _is_between(text: Tracked, cut: int) -> bool:
    """Not within what stands for one thing in the source: a date, a telephone number."""
    return cut >= len(text) or text.starts[cut] >= text.ends[cut - 1]


def fitting(text: Tracked, limit: int) -> Iterator[Tracked]:
    """The text in parts of at most `limit` characters: cut at clauses, else between words, else
    between characters as a reader sees them (an accent stays on its letter)."""
    text = text.stripped()
    while len(text) > limit:
        cut = _last_clause(text, limit) or _last_space(text.text, limit)
        cut = cut or _last_cluster(text.text, limit)
        yield text[:cut].stripped()
        text = text[cut:].stripped()
    if len(text):
        yield text


def _last_clause(text: Tracked, limit: int) -> int:
    """The last clause's end within the limit, unless it leaves a mere stump."""
    cuts = [match.end() for match in _CLAUSE.finditer(text.text, 0, limit + 1)]
    cuts = [
        cut
        for cut in cuts
        if limit // 3 < len(text.text[:cut].rstrip()) <= limit and _is_between(text, cut)
    ]
    return cuts[-1] if cuts else 0


def _last_space(text: str, limit: int) -> int:
    space = text.rfind(" ", 1, limit + 1)
    return space + 1 if space > 0 else 0


def _last_cluster(text: str, limit: int) -> int:
    import regex  # knows where Unicode's grapheme clusters end; needed for words without an end

    cut = 0
    for match in regex.finditer(r"\X", text[: limit + 32]):
        if match.end() > limit:
            break
        cut = match.end()
    return cut or limit  # one cluster above the limit: nothing is left but to break it
