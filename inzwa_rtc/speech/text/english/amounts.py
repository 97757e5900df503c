"""Money, percentages and measures in English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from inzwa_rtc.speech.text.english.figures import ALONE, NUMBER, SIGN, Figures, is_one
from inzwa_rtc.speech.text.expansion import Rule, rule

_END = r"(?![\w])"


def amounts(figures: Figures, data: dict[str, Any]) -> Iterator[Rule]:
    money, units = data["money"], data["units"]
    magnitudes = data["magnitudes"]
    signs = _any_of(money)
    scale = rf"(?:[\u0020\xa0]?(?P<scale>{_any_of(magnitudes)})(?![\w]))?"

    def price(match: re.Match[str]) -> str:
        named = money[match["money"]]
        return _price(figures, match, named, magnitudes)

    upper = (
        r"(?:\s?[-–]\s?(?P<upper>\d{1,3}(?:,\d{3}){1,3}|\d{1,9})(?!,?\d)"
        r"(?:\.(?P<upper_fraction>\d{1,9}))?)?"
    )
    yield rule(
        rf"(?<![\w.,$]){SIGN}(?P<money>{signs})[\u0020\xa0]?{NUMBER}{upper}{scale}"
        r"(?![-–]?\.?\d)(?![A-Za-z])",
        price,
    )
    words = "|".join(
        re.escape(sign) for sign in sorted(money, key=len, reverse=True) if sign != "R"
    )
    yield rule(rf"{ALONE}{SIGN}{NUMBER}{upper}{scale}[\u0020\xa0]?(?P<money>{words}){_END}", price)

    def measure(match: re.Match[str]) -> str:
        one, many = units[match["unit"]]
        said = figures.number(match["whole"], match["fraction"], match["sign"])
        if match["upper"]:
            upper = figures.number(match["upper"], match["upper_fraction"])
            return f"{said} to {upper} {many}"
        return f"{said} {one if is_one(match['whole'], match['fraction']) else many}"

    yield rule(
        rf"{ALONE}{SIGN}{NUMBER}{upper}[\u0020\xa0]?(?P<unit>{_any_of(units)})(?![\w/²³])",
        measure,
    )
    per = {sign: names[0] for sign, names in units.items() if sign.isalpha()}
    yield rule(  # "$5/kg", "10/min": what the number before it is for
        rf"(?<=[\w])/(?P<unit>{_any_of(per)}|month|year|day|night|week|hour|person){_END}",
        lambda match: f" per {per.get(match['unit'], match['unit'])}",
    )


def _any_of(signs: dict[str, Any]) -> str:
    return "|".join(re.escape(sign) for sign in sorted(signs, key=len, reverse=True))


def _price(
    figures: Figures, match: re.Match[str], named: list[str], magnitudes: dict[str, str]
) -> str:
    one, many = named[:2]
    whole, fraction, scale = match["whole"], match["fraction"], match["scale"]
    if scale or match["upper"]:
        said = figures.number(whole, fraction)
        if match["upper"]:
            said += f" to {figures.number(match['upper'], match['upper_fraction'])}"
        said = " ".join(filter(None, (said, scale and magnitudes[scale], many)))
    elif fraction and len(fraction) == 2:
        said = _with_cents(figures, whole, fraction, named)
    else:
        said = f"{figures.number(whole, fraction)} {one if is_one(whole, fraction) else many}"
    sign = match["sign"]
    return f"{'minus' if sign in '-−' else 'plus'} {said}" if sign else said


def _with_cents(figures: Figures, whole: str, fraction: str, named: list[str]) -> str:
    one, many, small, smalls = named
    cents = int(fraction)
    said = f"{figures.number(whole)} {one if is_one(whole, None) else many}"
    if not cents:
        return said
    part = f"{figures.cardinal(cents)} {small if cents == 1 else smalls}"
    return part if not whole.strip("0") else f"{said} and {part}"
