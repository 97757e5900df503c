"""English numbers in words, both ways, as far as a caller's sums go."""

from __future__ import annotations

from collections.abc import Sequence

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
LARGEST = 999_999_999

_UNITS = {word: value for value, word in enumerate(_ONES)}
_MULTIPLES = {word: value * 10 for value, word in enumerate(_TENS, start=2)}
_SCALES = {"thousand": 1_000, "million": 1_000_000}
WORDS = frozenset((*_UNITS, *_MULTIPLES, *_SCALES, "hundred"))
"""All words that numbers are made of, without the "and" between them."""


def spell(number: int) -> str:
    """The number in words: 342 is "three hundred and forty two".

    Raises ValueError outside 0 to 999,999,999.
    """
    if not 0 <= number <= LARGEST:
        raise ValueError(f"only 0 to {LARGEST} are spelled")
    for name, size in (("million", 1_000_000), ("thousand", 1_000)):
        if number >= size:
            return _join(f"{spell(number // size)} {name}", number % size)
    if number >= 100:
        return _join(f"{_ONES[number // 100]} hundred", number % 100)
    if number >= 20:
        ones = number % 10
        return _TENS[number // 10 - 2] + (f" {_ONES[ones]}" if ones else "")
    return _ONES[number]


def read_number(words: Sequence[str], start: int = 0) -> tuple[int, int]:
    """The number that begins at word `start`, and how many words it takes (0: none).

    "seven eight" is read as seven, and takes one word.
    """
    total = 0
    at = start
    ceiling = LARGEST + 1  # each part is of a smaller order than the one before
    while at < len(words):
        joins = words[at] == "and" and at > start and words[at - 1] in {"hundred", *_SCALES}
        value, size = _read_below_thousand(words, at + joins)
        if not size:
            break
        after = at + joins + size
        scale = _SCALES.get(words[after], 1) if after < len(words) else 1
        if value * scale >= ceiling or (scale > 1 and value == 0):
            break
        total += value * scale
        at = after + (scale > 1)
        ceiling = scale
        if scale == 1:
            break
    return total, at - start


def _join(head: str, rest: int) -> str:
    if not rest:
        return head
    return f"{head} and {spell(rest)}" if rest < 100 else f"{head} {spell(rest)}"


def _read_below_thousand(words: Sequence[str], at: int) -> tuple[int, int]:
    value, used = _read_below_hundred(words, at)
    if not used or value == 0 or _word(words, at + used) != "hundred":
        return value, used
    hundreds, used = value * 100, used + 1
    joins = _word(words, at + used) == "and"
    rest, size = _read_below_hundred(words, at + used + joins)
    return (hundreds + rest, used + joins + size) if size else (hundreds, used)


def _read_below_hundred(words: Sequence[str], at: int) -> tuple[int, int]:
    first, second = _word(words, at), _word(words, at + 1)
    if first in _UNITS:
        return _UNITS[first], 1
    if first in _MULTIPLES:
        if 0 < _UNITS.get(second, 0) < 10:
            return _MULTIPLES[first] + _UNITS[second], 2
        return _MULTIPLES[first], 1
    if first == "a" and (second == "hundred" or second in _SCALES):
        return 1, 1
    return 0, 0


def _word(words: Sequence[str], at: int) -> str:
    return words[at] if at < len(words) else ""
