"""All the rules of Shona, in the order in which they are tried."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from inzwa_rtc.speech.text import addresses
from inzwa_rtc.speech.text.expansion import Rule, Said, rule
from inzwa_rtc.speech.text.language import Language
from inzwa_rtc.speech.text.shona.amounts import Amounts
from inzwa_rtc.speech.text.shona.data import said, words
from inzwa_rtc.speech.text.shona.figures import ALONE, NUMBER, plain
from inzwa_rtc.speech.text.shona.numerals import Numerals
from inzwa_rtc.speech.text.tracked import Edit

_HOURS = r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?::[0-5]\d)?"
_HALF = r"(?:[\u0020\xa0]?(?P<half>[AaPp]\.?[Mm]\b\.?))?"


def shona(tag: str = "sn") -> Language:
    data = words()
    cardinal, minus = Numerals().cardinal, data["words"]["minus"][0]
    return Language(
        tag,
        tuple(_Rules(data).all()),
        said(data["signs"]),
        # Ordinals need the noun's class.
        cardinal=lambda number: f"{minus} {cardinal(-number)}" if number < 0 else cardinal(number),
    )


class _Rules:
    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data
        self._words = said(data["words"])
        self._numerals = Numerals()
        self._amounts = Amounts(self._numerals, data)

    def all(self) -> Iterator[Rule]:
        yield from self._addresses()
        yield from self._telephone()
        yield from self._dates()
        yield from self._times()
        yield from self._amounts.rules()
        yield from self._prefixed()
        yield from self._numbers()

    def _addresses(self) -> Iterator[Rule]:
        at, dot, slash = (self._words[name] for name in ("at", "dot", "slash"))

        def url(match: re.Match[str]) -> Said:
            spoken, behind = addresses.url(match, dot, slash)
            return Edit(match.start(), match.end() - behind, spoken)

        yield Rule(addresses.EMAIL, lambda match: addresses.email(match, at, dot))
        yield Rule(addresses.URL, url)

    def _telephone(self) -> Iterator[Rule]:
        def groups(match: re.Match[str]) -> Said:
            figures = re.findall(r"\d+", match.group())
            if not 7 <= sum(map(len, figures)) <= 15:
                return None
            return ", ".join(self._numerals.digits(group) for group in figures)

        yield rule(r"(?<![\w.+])\+\d{1,4}(?:[\u0020\xa0.-]?\(?\d{1,9}\)?){1,6}(?!\w)", groups)
        yield rule(r"(?<![\w.+-])0\d{1,4}(?:[\u0020-]\d{2,7}){1,4}(?![\w-])", groups)
        yield rule(r"(?<![\w.+-])0\d{8,11}(?![\w.-])", groups)

    def _dates(self) -> Iterator[Rule]:
        yield rule(
            r"(?<![\w/.-])(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)(?![\w-])", self._date
        )
        yield rule(
            r"(?:(?<![\w/.-])|(?<!\w)(?:[Mm]usi\s+)?[Ww]a)(?P<day>\d{1,2})(?P<sep>[/.-])(?P<month>\d{1,2})(?P=sep)(?P<year>\d{4})"
            r"(?![\w/])",
            self._date,
        )

    def _date(self, match: re.Match[str]) -> Said:
        year, month, day = int(match["year"]), int(match["month"]), int(match["day"])
        try:
            datetime.date(year, month, day)
        except ValueError:
            return None
        bound = self._numerals.bound
        return f"{self._words['day']}{bound(day)} {_months()[month - 1]} {bound(year)}"

    def _times(self) -> Iterator[Rule]:
        yield rule(  # "Johane 3:16": a chapter and its verse
            r"(?<!\w)(?P<name>[A-Z][a-z']{2,20})\s(?P<chapter>[1-9]\d{0,2}):(?P<verse>\d{1,3})"
            r"(?![\w:]|\s?(?i:[ap]\.?m|hrs?)\b)",
            self._verse,
        )
        yield rule(
            rf"(?<![\w:.])(?:nguva\s+)?(?:dz[ae]\s?)?{_HOURS}(?:{_HALF}|[\u0020\xa0]?hrs?)(?![\w:])",
            self._clock,
        )
        yield rule(  # "0830hrs"
            r"(?<![\w:.])(?P<half>)(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)[\u0020\xa0]?hrs?(?!\w)",
            self._clock,
        )
        prefixes = "|".join(said(self._data["prefixes"]["and"]))
        yield rule(  # "na10:00", as "na 8:30pm" is written
            rf"(?<!\w)(?P<prefix>(?i:{prefixes})){_HOURS}(?:{_HALF}|[\u0020\xa0]?hrs?)(?![\w:])",
            lambda match: f"{match['prefix']} {self._clock(match)}",
        )

    def _verse(self, match: re.Match[str]) -> Said:
        if match["name"] in (*_days(), *_months()):
            return None
        if not match.start() and 10 <= int(match["chapter"]) < 24 and len(match["verse"]) == 2:
            return None  # the first word of a sentence has its capital for that, and a time follows
        cardinal = self._numerals.cardinal
        said = f"{cardinal(int(match['chapter']))}, {cardinal(int(match['verse']))}"
        return Edit(match.start("chapter"), match.end(), said)

    def _clock(self, match: re.Match[str]) -> Said:
        hour, minute = int(match["hour"]), int(match["minute"])
        half = (match["half"] or "")[:1].lower()
        spoken = self._words["clock"] + self._numerals.bound(hour)
        if minute:
            minutes = self._numerals.counted(minute, 6)
            spoken += f" {self._words['and']}{self._words['minutes']} {minutes}"
        if half:
            evening = "evening" if hour % 12 >= 6 else "afternoon"
            spoken += f" {self._words['morning' if half == 'a' else evening]}"
        return spoken

    def _prefixed(self) -> Iterator[Rule]:
        """wa3, ra2019, na5, ku10: a prefix and the number grow together."""
        numerals, prefixes = self._numerals, self._data["prefixes"]
        times = {int(key): word for key, word in said(prefixes["times"]).items()}
        yield rule(r"(?<!\w)[Kk]a(?P<times>\d)(?!\w)", lambda m: times.get(int(m["times"])))
        for kind in ("ordinal", "possessive", "and", "place"):
            forms = said(prefixes[kind])

            def attached(
                match: re.Match[str], forms: dict[str, str] = forms, kind: str = kind
            ) -> Said:
                head = forms[match["prefix"].lower()]
                number = plain(match["whole"])
                if match["fraction"]:
                    return f"{head} {numerals.decimal(number, match['fraction'])}"
                if kind == "ordinal" and number <= 10:
                    stem = numerals.ordinal(number)
                    return f"{head}{stem}" if stem else None
                return head + (
                    numerals.cardinal(number) if kind == "place" else numerals.bound(number)
                )

            yield rule(rf"(?<!\w)(?P<prefix>(?i:{'|'.join(forms)})){NUMBER}(?!\w)", attached)
        # Any other prefix stands before the number by itself.

    def _numbers(self) -> Iterator[Rule]:
        numerals = self._numerals
        half = self._words["half"]
        yield rule(r"(?<![\w.,/])(?:1/2|½)(?![\w/])", lambda match: half)
        yield rule(r"(?<=\d)[\u0020\xa0]?[-–][\u0020\xa0]?(?=\d)", lambda match: ", ")

        def number(match: re.Match[str]) -> Said:
            written = match["whole"]
            whole = plain(written)
            if written.startswith("0") and len(written) > 1:
                spoken = numerals.digits(written)
            elif match["fraction"]:
                spoken = numerals.decimal(whole, match["fraction"])
            else:
                spoken = numerals.cardinal(whole)
            return f"{self._words['minus']} {spoken}" if match["sign"] else spoken

        yield rule(rf"{ALONE}(?P<sign>[-−](?=\d))?{NUMBER}(?!\w)", number)
        yield rule(r"(?<=[^\W\d_])-(?=\d)", lambda match: " ")
        yield rule(
            r"\d{1,1000}",
            lambda match: (
                numerals.cardinal(int(match.group()))
                if len(match.group()) < 5
                else numerals.digits(match.group())
            ),
        )


@cache
def _days() -> tuple[str, ...]:
    from babel.dates import get_day_names

    return tuple(get_day_names("wide", "format", "sn").values())


@cache
def _months() -> tuple[str, ...]:
    from babel.dates import get_month_names

    return tuple(get_month_names("wide", "format", "sn")[i] for i in range(1, 13))
