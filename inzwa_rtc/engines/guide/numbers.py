"""English numbers in words, both ways, as far as a caller's sums go."""

from __future__ import annotations

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


def read_number(words: list[str]) -> tuple[int, int]:
    """The number that the words begin with, and how many words it takes (0: none).

    "seven eight" is read as seven, and takes one word.
    """
    total = 0
    used = 0
    ceiling = LARGEST + 1  # each part is of a smaller order than the one before
    while used < len(words):
        joins = words[used] == "and" and used > 0 and words[used - 1] in {"hundred", *_SCALES}
        value, size = _read_below_thousand(words[used + joins :])
        if not size:
            break
        after = used + joins + size
        scale = _SCALES.get(words[after], 1) if after < len(words) else 1
        if value * scale >= ceiling or (scale > 1 and value == 0):
            break
        total += value * scale
        used = after + (scale > 1)
        ceiling = scale
        if scale == 1:
            break
    return total, used


def _join(head: str, rest: int) -> str:
    if not rest:
        return head
    return f"{head} and {spell(rest)}" if rest < 100 else f"{head} {spell(rest)}"


def _read_below_thousand(words: list[str]) -> tuple[int, int]:
    value, used = _read_below_hundred(words)
    if not used or words[used : used + 1] != ["hundred"] or value == 0:
        return value, used
    hundreds, used = value * 100, used + 1
    joins = words[used : used + 1] == ["and"]
    rest, size = _read_below_hundred(words[used + joins :])
    return (hundreds + rest, used + joins + size) if size else (hundreds, used)


def _read_below_hundred(words: list[str]) -> tuple[int, int]:
    if not words:
        return 0, 0
    first = words[0]
    if first in _UNITS:
        return _UNITS[first], 1
    if first in _MULTIPLES:
        if len(words) > 1 and 0 < _UNITS.get(words[1], 0) < 10:
            return _MULTIPLES[first] + _UNITS[words[1]], 2
        return _MULTIPLES[first], 1
    if first == "a" and len(words) > 1 and (words[1] == "hundred" or words[1] in _SCALES):
        return 1, 1
    return 0, 0
