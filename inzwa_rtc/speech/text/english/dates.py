"""Dates, years and times of day in English."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from functools import cache, lru_cache

from inzwa_rtc.speech.text.english.figures import Figures
from inzwa_rtc.speech.text.expansion import Rule, rule
from inzwa_rtc.speech.text.tracked import Edit

_YEAR = r"(?P<year>1[0-9]\d\d|20\d\d)"
_DAY = r"(?P<day>[12]\d|3[01]|0?[1-9])"
_MONTH = r"(?P<month>1[0-2]|0?[1-9])"
_HALF = r"(?P<half>[AaPp]\.[Mm]\.|[AaPp][Mm]\b)(?P<last>\s*$)?"


@cache
def months(locale: str) -> tuple[str, ...]:
    """The names of the months, January first."""
    from babel.dates import get_month_names  # 30 ms: with the first date

    return tuple(get_month_names("wide", "format", locale)[i] for i in range(1, 13))


@lru_cache(maxsize=64)  # tags come from callers: anything may be one
def day_comes_first(tag: str) -> bool:
    """Whether 3/4 is the third of April, as CLDR has it for the region."""
    from babel import Locale, UnknownLocaleError

    try:
        locale = Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    pattern = str(locale.date_formats["short"].pattern)
    return pattern.find("d") < pattern.find("M")


def dates(figures: Figures, tag: str) -> Iterator[Rule]:
    names = months("en")
    said = Days(figures, tag)
    named = "|".join(f"{name[:3]}(?:{name[3:]})?" if name != "May" else "May" for name in names)
    named = rf"(?P<name>{named}|Sept)\.?"
    yield rule(r"(?<![\w/.-])(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)(?![\w-])", said.iso)
    yield rule(
        r"(?<![\w/.-])(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)[T\u0020]"
        r"(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d)(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?",
        said.stamp,
    )
    yield rule(
        r"(?<![\w/.-])(?P<first>\d{1,2})(?P<sep>[/.-])(?P<second>\d{1,2})(?P=sep)(?P<year>\d{4}|\d\d)"
        r"(?![\w/]|[.-]\d)",
        said.numeric,
    )
    yield rule(
        rf"(?<![\w/.-])(?:the\s)?{_DAY}(?:st|nd|rd|th)?\s(?:of\s)?{named}(?:,?\s{_YEAR}(?![\w/%]|\.\d))?(?!\w)",
        said.day_month,
    )
    yield rule(
        rf"(?<!\w){named}\s{_DAY}(?:st|nd|rd|th)?(?!\w|[.:,]\d|\s?[-–]\s?\d)(?:,?\s{_YEAR}(?!\w|[,.]\d))?",
        said.month_day,
    )
    yield rule(rf"(?<!\w){named}\s{_YEAR}(?![\w%]|[,.]\d)", said.month_year)
    yield from _years(figures)
    yield from _times(figures)


class Days:
    """A date in words; None for one that no calendar has."""

    def __init__(self, figures: Figures, tag: str) -> None:
        self._figures = figures
        self._months = months("en")
        self._tag = tag

    def iso(self, match: re.Match[str]) -> str | None:
        return self._said(int(match["year"]), int(match["month"]), int(match["day"]))

    def stamp(self, match: re.Match[str]) -> str | None:
        date = self.iso(match)
        time = clock(self._figures, int(match["hour"]), int(match["minute"]))
        return f"{date}, {time}" if date else None

    def numeric(self, match: re.Match[str]) -> str | None:
        first, second, year = int(match["first"]), int(match["second"]), int(match["year"])
        if len(match["year"]) == 2:
            if match["sep"] != "/":
                return None  # a version or a score more often than a date
            year += 2000 if year < 70 else 1900
        day, month = (first, second) if day_comes_first(self._tag) else (second, first)
        return self._said(year, month, day) or self._said(year, day, month)

    def day_month(self, match: re.Match[str]) -> str:
        year = match["year"]
        tail = f" {self._figures.year(int(year))}" if year else ""
        return f"the {self._figures.ordinal(int(match['day']))} of {self._name(match)}{tail}"

    def month_day(self, match: re.Match[str]) -> str:
        year = match["year"]
        tail = f", {self._figures.year(int(year))}" if year else ""
        return f"{self._name(match)} {self._figures.ordinal(int(match['day']))}{tail}"

    def month_year(self, match: re.Match[str]) -> str:
        return f"{self._name(match)} {self._figures.year(int(match['year']))}"

    def _name(self, match: re.Match[str]) -> str:
        return next(name for name in self._months if name.startswith(match["name"][:3]))

    def _said(self, year: int, month: int, day: int) -> str | None:
        try:
            datetime.date(year, month, day)
        except ValueError:
            return None
        ordinal, name = self._figures.ordinal(day), self._months[month - 1]
        if day_comes_first(self._tag):
            return f"the {ordinal} of {name} {self._figures.year(year)}"
        return f"{name} {ordinal}, {self._figures.year(year)}"


def _years(figures: Figures) -> Iterator[Rule]:
    def span(match: re.Match[str]) -> str:
        upper = match["upper"]
        # "1990-95" goes on within the century.
        second = figures.year(int(upper)) if len(upper) == 4 else figures.cardinal(int(upper))
        return f"{figures.year(int(match['year']))} to {second}"

    before = r"(?i:in|since|until|till|during|early|late|mid|circa|©|copyright|year|years)"
    year = r"(?:1[1-9]\d\d|20\d\d)"
    yield rule(  # "in 2024, 2025 and 2026"
        rf"(?<!\w){before}\s(?P<said>{year}(?:(?:,\s|,?\s(?:and|or|to)\s){year}){{1,12}})(?![\w/%]|[.,:]\d)",
        lambda match: Edit(
            match.start("said"),
            match.end("said"),
            re.sub(r"\d{4}", lambda one: figures.year(int(one.group())), match["said"]),
        ),
    )
    yield rule(rf"(?<![\w.,/-]){_YEAR}[-–/](?P<upper>1\d{{3}}|20\d\d|\d\d)(?![\w/-]|[.,]\d)", span)
    yield rule(
        r"(?<![\w.,/-])(?P<year>1[1-9]\d0|20[1-9]0)'?s(?!\w)",
        lambda match: figures.decade(int(match["year"])),
    )
    yield _tens(figures)
    yield rule(
        r"(?<![\w.,/-])(?P<year>1[89]\d\d|20\d\d)(?=\))(?<=\(\d{4})",
        lambda match: figures.year(int(match["year"])),
    )

    def said(match: re.Match[str]) -> Edit:
        words = figures.year(int(match["said"]))
        return Edit(match.start("said"), match.end("said"), words)

    yield rule(
        rf"(?<!\w)(?i:from|between)\s{_YEAR}\s(?P<to>to|until|till|and)\s(?P<upper>1\d{{3}}|20\d\d)(?!\w)",
        lambda match: Edit(
            match.start("year"),
            match.end(),
            f"{figures.year(int(match['year']))} {match['to']} {figures.year(int(match['upper']))}",
        ),
    )
    # "It was 1999.": a number of people or dollars is seldom the last word.
    yield rule(
        r"(?<=[a-z,]\s)(?P<said>19\d\d|20[0-4]\d)(?=[.!?;,)]?(?:\s|$))(?!\s)",
        said,
    )
    yield rule(
        rf"(?<!\w){before}[\s-](?P<said>1[1-9]\d\d|20\d\d)(?![\w/%]|[.,:]\d|\s(?:people|men|women|cases))",
        said,
    )
    yield rule(
        r"(?<!\w)(?i:from|by|before|after|of)\s(?P<said>1[1-9]\d\d|20\d\d)(?=[.,;:!?)]?(?:\s*$|\s(?:to|until|till|and|onwards?)\s(?:\d{4})?|[.;!?)]))",
        said,
    )


def _tens(figures: Figures) -> Rule:
    """ "the 80s", "in his 30s", "the '90s": a decade or ages. "30s" elsewhere is seconds."""

    def said(match: re.Match[str]) -> Edit:
        words = re.sub(r"['’]?(\d0)['’]?s", lambda one: figures.plural(int(one[1])), match["said"])
        return Edit(match.start("said"), match.end("said"), words)

    tens = r"[2-9]0['’]?s"
    before = "the|his|her|their|my|our|your|its|early|mid|late"
    return rule(
        rf"(?:(?<!\w)(?i:{before})[\s-](?=['’]?{tens})|(?<!\w)(?=['’]{tens}))"
        rf"(?P<said>['’]?{tens}(?:\s?(?:and|or|to|[-–])\s?['’]?{tens}){{0,4}})(?!\w)",
        said,
    )


def _times(figures: Figures) -> Iterator[Rule]:
    def half(match: re.Match[str]) -> str | None:
        hour, minute = int(match["hour"]), int(match["minute"] or 0)
        if not 1 <= hour <= 12:
            return clock(figures, hour, minute) if match["minute"] else None
        said = figures.cardinal(hour)
        if minute:
            said += f" {_minutes(figures, minute)}"
        # The full stop of "p.m." ends a sentence as well, where nothing follows it.
        end = "." if match["last"] is not None and match["half"].endswith(".") else ""
        return f"{said} {match['half'][0].upper()} M{end}"

    yield rule(
        rf"(?<![\w:.])(?P<hour>[01]?\d|2[0-3])(?:[:.](?P<minute>[0-5]\d))?(?::[0-5]\d)?\s?{_HALF}",
        half,
    )
    yield rule(
        r"(?<![\w:.,])(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?![\w:]|\.\d)",
        lambda match: clock(
            figures, int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
        ),
    )
    yield rule(r"(?<![\w/])24/7(?![\w/])", lambda match: "twenty-four seven")


def clock(figures: Figures, hour: int, minute: int, second: int = 0) -> str:
    """14:30 is "fourteen thirty", 9:05 "nine oh five", 10:00 "ten o'clock"."""
    if minute:
        said = f"{figures.cardinal(hour)} {_minutes(figures, minute)}"
    elif 1 <= hour <= 12:
        said = f"{figures.cardinal(hour)} o'clock"
    else:
        said = f"{figures.cardinal(hour)} hundred hours"
    if second:
        unit = "second" if second == 1 else "seconds"
        said += f" and {figures.cardinal(second)} {unit}"
    return said


def _minutes(figures: Figures, minute: int) -> str:
    said = figures.cardinal(minute)
    return f"oh {said}" if minute < 10 else said
