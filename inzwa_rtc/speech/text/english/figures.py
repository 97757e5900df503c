"""English number words, and how written figures become them."""

from __future__ import annotations

import re

from inzwa_rtc.speech.text.numbers import Numbers

# A number as it is written: grouped by commas, spaces or not at all, and its fraction.
NUMBER = (
    r"(?P<whole>\d{1,3}(?:,\d{3}){1,6}(?!\d)|\d{1,3}(?:[\u0020\xa0\u202f]\d{3}){1,6}(?!\d|,\d)|\d{1,40})"
    r"(?:\.(?P<fraction>\d{1,40}))?"
)
SIGN = r"(?P<sign>[-−+])?"
ALONE = r"(?<![\w.,])(?<![\d][-–−])"  # not within a word or a longer figure
MINUS = "-−"
_GROUPING = re.compile(r"[,\s]")
_ORDINALS = {2: "half", 4: "quarter"}


class Figures:
    """Says figures in English."""

    def __init__(self, tag: str) -> None:
        self._numbers = Numbers(tag)
        self.ordinal = self._numbers.ordinal
        self.digits = self._numbers.digits
        self.cardinal = self._numbers.cardinal

    def number(self, whole: str, fraction: str | None = None, sign: str | None = None) -> str:
        """A number of `NUMBER`, with its fraction digit by digit."""
        figures = plain(whole)
        is_zero = fraction and not figures.strip("0")
        said = self.cardinal(0) if is_zero else self._numbers.whole(figures)
        if fraction:
            said += f" point {self.digits(fraction)}"
        if sign:
            said = f"{'minus' if sign in MINUS else 'plus'} {said}"
        return said

    def year(self, year: int) -> str:
        """2026 is "twenty twenty-six", 1905 "nineteen oh-five", 2005 a plain number."""
        return self._numbers.year(year)

    def decade(self, year: int) -> str:
        """1990 is "nineteen nineties"."""
        return _many(self.year(year))

    def plural(self, number: int) -> str:
        """80 is "eighties"."""
        return _many(self.cardinal(number))

    def part(self, over: int, under: int) -> str | None:
        """A fraction: "three quarters", "one half", else "five over twelve"; None for none."""
        if not 0 < over < 100 or not 1 < under < 1000:
            return None
        if under > 20 and under not in (100, 1000):
            return f"{self.cardinal(over)} over {self.cardinal(under)}"
        name = _ORDINALS.get(under) or self.ordinal(under)
        if over > 1:
            name = "halves" if name == "half" else f"{name}s"
        return f"{self.cardinal(over)} {name}"

    def code(self, figures: str) -> str:
        """Figures in a name: "A380" is "A three eighty", "COVID-19" ends in "nineteen"."""
        if figures.startswith("0") or len(figures) > 4:
            return self.digits(figures)
        if len(figures) < 3 or figures.endswith("00"):
            return self.cardinal(int(figures))
        head, tail = figures[:-2], figures[-2:]
        second = f"oh {self.cardinal(int(tail))}" if tail[0] == "0" else self.cardinal(int(tail))
        return f"{self.cardinal(int(head))} {second}"


def plain(whole: str) -> str:
    """The figures of a number of `NUMBER`, ungrouped."""
    return _GROUPING.sub("", whole)


def _many(said: str) -> str:
    if said.endswith("y"):
        return f"{said[:-1]}ies"
    return said if said.endswith("s") else f"{said}s"


def is_one(whole: str, fraction: str | None) -> bool:
    return whole == "1" and not fraction
