"""Counted nouns, measures, money and percentages in Shona."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from inzwa_rtc.speech.text.expansion import Rule, Said, rule
from inzwa_rtc.speech.text.shona.data import said
from inzwa_rtc.speech.text.shona.figures import ALONE, NUMBER, plain
from inzwa_rtc.speech.text.shona.numerals import CLASS_OF_POWERS, Numerals

CLASS_OF_PARTS = 8  # zvikamu
_A_LITTLE = Decimal("0.1")


class Amounts:
    """What is counted, and how many."""

    def __init__(self, numerals: Numerals, data: dict[str, Any]) -> None:
        self._numerals = numerals
        self._data = data
        self._words = said(data["words"])
        self._money = {**data["money"], **data["money_in_decimals"]}
        self._thousands: str = data["powers"]["many"]["thousand"][0]
        self._magnitudes = said(data["magnitudes"])
        # na$5 is "nemadhora mashanu": how a prefix is said before a noun.
        self._heads: dict[str, str] = {
            prefix: head
            for kind in ("possessive", "and", "place")
            for prefix, head in said(data["prefixes"][kind]).items()
        }
        self._nouns: dict[str, int] = {noun: entry[0] for noun, entry in data["nouns"].items()}

    def rules(self) -> Iterator[Rule]:
        scale = rf"(?:[\u0020\xa0]?(?P<scale>{_any_of(self._magnitudes)})(?!\w))?"
        prefixes = _any_of(self._heads)
        begin = rf"(?:{ALONE}|(?<!\w)(?P<prefix>(?i:{prefixes})))"
        money = _any_of(self._money)
        yield rule(
            rf"(?<![\w$])(?P<prefix>(?i:{prefixes}))?(?P<money>{money})[\u0020\xa0]?{NUMBER}{scale}"
            r"(?![\w]|\.\d)",
            self._price,
        )
        behind = _any_of(sign for sign in self._money if sign != "R")
        yield rule(
            rf"{ALONE}(?P<prefix>){NUMBER}{scale}[\u0020\xa0]?(?P<money>{behind})(?!\w)",
            self._price,
        )
        yield rule(rf"{begin}{NUMBER}[\u0020\xa0]?%", self._percentage)
        measures = _any_of(self._data["measures"])
        yield rule(rf"{begin}{NUMBER}[\u0020\xa0]?(?P<unit>{measures})(?![\w/])", self._measure)
        nouns = _any_of(self._nouns)
        prefixes = "|".join({*self._prefixes(), "e", "dze", "ye", "we", "re"})
        yield rule(
            rf"(?<!\w)(?P<said>(?:{prefixes})?(?P<noun>{nouns}))\s{NUMBER}(?![\w%]|\s?[:/-]\d)",
            self._counted,
            re.IGNORECASE,
        )
        yield rule(rf"{ALONE}{NUMBER}\s(?P<noun>{nouns})(?!\w)", self._counted, re.IGNORECASE)
        yield rule(rf"{ALONE}{NUMBER}{scale}(?<=[a-z])(?!\w)", self._large)

    def _head(self, match: re.Match[str]) -> str:
        prefix = match.groupdict().get("prefix")
        return self._heads[prefix.lower()] if prefix else ""

    def _prefixes(self) -> Iterator[str]:
        for kind in ("possessive", "ordinal", "and", "place"):
            yield from said(self._data["prefixes"][kind]).values()

    def _counted(self, match: re.Match[str]) -> Said:
        groups = match.groupdict()
        noun = groups.get("said") or match["noun"]
        if match["fraction"]:
            return f"{noun} {self._numerals.decimal(plain(match['whole']), match['fraction'])}"
        number = plain(match["whole"])
        noun_class = self._nouns[match["noun"].lower()]
        if noun.lower().endswith(self._thousands) and number > 10:
            noun_class = CLASS_OF_POWERS  # as Numerals says it: zviuru makumi mana nemaviri
        return f"{noun} {self._numerals.counted(number, noun_class)}"

    def _measure(self, match: re.Match[str]) -> str:
        one, many, noun_class = self._data["measures"][match["unit"]][:3]
        prefix = self._head(match)
        if match["fraction"]:
            return (
                f"{prefix}{many} {self._numerals.decimal(plain(match['whole']), match['fraction'])}"
            )
        number = plain(match["whole"])
        return (
            f"{prefix}{one if number == 1 else many} {self._numerals.counted(number, noun_class)}"
        )

    def _is_kept(self, match: re.Match[str]) -> bool:
        """Whether the magnitude has no word, and stays as it is written."""
        return isinstance(self._magnitudes.get(match["scale"]), str)

    def _kept(self, match: re.Match[str], noun_class: int | None = None) -> str:
        number, fraction = plain(match["whole"]), match["fraction"]
        if fraction:
            spoken = self._numerals.decimal(number, fraction)
        elif noun_class:
            spoken = self._numerals.counted(number, noun_class)
        else:
            spoken = self._numerals.cardinal(number)
        return f"{spoken} {self._magnitudes[match['scale']]}"

    def _large(self, match: re.Match[str]) -> Said:
        if self._is_kept(match):
            return self._kept(match)
        number = self._times(match)
        return None if number is None or not match["scale"] else self._numerals.cardinal(number)

    def _times(self, match: re.Match[str]) -> int | None:
        """The number with its magnitude, 7.7m as 7,700,000; None for one that is no whole."""
        number = Decimal(f"{plain(match['whole'])}.{match['fraction'] or 0}")
        if match["scale"]:
            if self._is_kept(match):
                return None
            number *= int(self._magnitudes[match["scale"]])
        return int(number) if number == int(number) else None

    def _percentage(self, match: re.Match[str]) -> str:
        whole, fraction = plain(match["whole"]), match["fraction"] or ""
        is_one = whole == 1 and not fraction.strip("0")
        noun = self._head(match) + self._words["percent_noun_one" if is_one else "percent_noun"]
        of = self._words["percent_of"]
        spoken = self._numerals.counted(whole, CLASS_OF_PARTS)
        if not fraction.strip("0"):
            return f"{noun} {spoken} {of}"
        # "And a little over" is what the newspaper says of 52.08; more than that is told exactly.
        if whole and Decimal(f"0.{fraction}") < _A_LITTLE:
            return f"{noun} {spoken}, {self._words['and_a_little']} {of}"
        return f"{noun} {self._numerals.decimal(whole, fraction)} {of}"

    def _price(self, match: re.Match[str]) -> Said:
        one, many, noun_class, behind = self._money[match["money"]][:4]
        prefix = self._head(match)
        fraction = match["fraction"] or ""
        if self._is_kept(match):
            spoken = f"{many} {self._kept(match, noun_class)}"
            return " ".join(filter(None, (prefix + spoken, behind)))
        if match["scale"]:
            number = self._times(match)
            if number is None:
                return None
            fraction = ""
        else:
            number = plain(match["whole"])
        has_cents = len(fraction) == 2 and match["money"] in self._data["money"]
        if fraction.strip("0") and not has_cents:
            spoken = f"{many} {self._numerals.decimal(number, fraction)}"
            return " ".join(filter(None, (prefix + spoken, behind)))
        cents = int(fraction or 0)
        if cents and not number:
            return prefix + self._cents(cents)
        spoken = f"{one if number == 1 else many} {self._numerals.counted(number, noun_class)}"
        if number == 1 and not cents and one != many:
            spoken += f" {self._words['only']}"
        if cents:
            rest = self._words["half_dollar"] if cents == 50 else self._cents(cents)
            spoken += f" {self._words['and']}{rest}"
        return " ".join(filter(None, (prefix + spoken, behind)))

    def _cents(self, cents: int) -> str:
        one, many = said(self._data["cents"]).values()
        return f"{one if cents == 1 else many} {self._numerals.counted(cents, 6)}"


def _any_of(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
