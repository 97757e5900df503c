"""The phrases of a script and the texts of callers, brought to one form.

Both become tuples of lower-case words in which every number is `NUMBER`, so
that "What's 7 x 8?" and "what is seven times eight" are the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from inzwa_rtc.engines.guide.numbers import LARGEST, read_number, spell

NUMBER = "{number}"
_MOST_EXPANSIONS = 200  # of one phrase; more is a phrase nobody meant to write
_PART = re.compile(r"\s*(?:\[([^\[\]()]+)\]|\(([^\[\]()]+)\)|(\{number\})|([^\s\[\](){}]+))")

_CONTRACTIONS = (
    (re.compile(r"\b(what|who|where|how|when|that|it|there|here)'?s\b"), r"\1 is"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"\bcan't\b|\bcannot\b"), "can not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"\bi'?m\b"), "i am"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"\blet's\b"), "let us"),
    (re.compile(r"\bi'd\b"), "i would"),
    (re.compile(r"\bgood[ -]bye?\b"), "goodbye"),
)
_OPERATORS = (
    (re.compile(r"(?<=\d)\s*(?:x|×|\*)\s*(?=\d)"), " times "),
    (re.compile(r"(?<=\d)\s*\+\s*(?=\d)"), " plus "),
    (re.compile(r"(?<=\d)\s*[-\u2212\u2013]\s*(?=\d)"), " minus "),
    (re.compile(r"(?<=\d)\s*[/÷:]\s*(?=\d)"), " divided by "),
    (re.compile(r"(?<=\d),(?=\d{3}\b)"), ""),
    (re.compile(r"(?<=\d)\.(?=\d)"), " point "),
    (re.compile(r"(?<![\w.])-(?=\d)"), " negative "),
)
_SAME = {"ok": "okay", "hiya": "hi", "ai": "a i", "rtc": "r t c", "u": "you"}
_WORD = re.compile(r"\d+|[^\W\d_]+(?:'[^\W\d_]+)*")
_OPENERS = frozenset(
    [
        "please",
        "um",
        "uh",
        "er",
        "ah",
        "oh",
        "hey",
        "okay",
        "well",
        "so",
        "and",
        "then",
        "now",
        "inzwa",
        "just",
    ]
)
_CLOSERS = frozenset(["please", "then", "inzwa"])


@dataclass(frozen=True, slots=True)
class Spoken:
    """A text in the common form: its words, and the numbers for which `NUMBER` stands."""

    words: tuple[str, ...]
    numbers: tuple[int, ...]


def read(text: str) -> Spoken:
    """Bring what a caller said or typed to the common form."""
    text = unicodedata.normalize("NFKC", text).lower().replace("\u2019", "'")
    for pattern, replacement in (*_OPERATORS, *_CONTRACTIONS):
        text = pattern.sub(replacement, text)
    words: list[str] = []
    for word in _WORD.findall(text):
        if word.isdecimal():
            value = int(word[:12])
            words += spell(value).split() if value <= LARGEST else [word]
        else:
            words += _SAME.get(word, word).split()
    return _numbered(words)


def bare(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words without what people put around a question: "please", "okay", the name."""
    first, last = 0, len(words)
    while last - first > 1 and words[first] in _OPENERS:
        first += 1
    while last - first > 1 and words[last - 1] in _CLOSERS:
        last -= 1
    return words[first:last]


def expand(phrase: str) -> Iterator[str]:
    """All the ways to say a phrase: `[these] (may|must)` is "these may", "may", ...

    Raises ValueError for a phrase that is not written well.
    """
    choices: list[list[str]] = []
    position = 0
    phrase = phrase.strip().lower()
    while position < len(phrase):
        match = _PART.match(phrase, position)
        if match is None:
            raise ValueError(f"cannot be read from here on: {phrase[position:].strip()!r}")
        optional, group, number, word = match.groups()
        if optional or group:
            options = [option.strip() for option in (optional or group).split("|")]
            choices.append([*options, ""] if optional else options)
        else:
            choices.append([number or word])
        position = match.end()
    count = 1
    for options in choices:
        count *= len(options)
    if not choices or count > _MOST_EXPANSIONS:
        raise ValueError(f"stands for {count} sentences; at most {_MOST_EXPANSIONS} are allowed")
    for parts in product(*choices):
        if sentence := " ".join(part for part in parts if part):
            yield sentence


def _numbered(words: list[str]) -> Spoken:
    form: list[str] = []
    numbers: list[int] = []
    position = 0
    while position < len(words):
        value, used = read_number(words, position)
        if used:
            numbers.append(value)
            form.append(NUMBER)
        else:
            form.append(words[position])
        position += used or 1
    return Spoken(tuple(form), tuple(numbers))
