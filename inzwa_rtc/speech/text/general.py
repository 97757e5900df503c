"""Languages without rules of our own: number words by num2words, names and formats by Babel."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal, get_currency_name
from babel.units import format_unit

from inzwa_rtc.speech.text import addresses, cldr
from inzwa_rtc.speech.text.expansion import Rule, Said, rule
from inzwa_rtc.speech.text.language import Language
from inzwa_rtc.speech.text.numbers import Numbers, knows
from inzwa_rtc.speech.text.tracked import Edit

# Signs that mean the same in every language, and CLDR's name for them.
_UNITS = {
    "%": "concentr-percent", "km": "length-kilometer", "m": "length-meter",
    "cm": "length-centimeter", "mm": "length-millimeter", "kg": "mass-kilogram", "g": "mass-gram",
    "mg": "mass-milligram", "l": "volume-liter", "L": "volume-liter", "ml": "volume-milliliter",
    "km/h": "speed-kilometer-per-hour", "m/s": "speed-meter-per-second",
    "°C": "temperature-celsius", "°F": "temperature-fahrenheit", "°": "angle-degree",
    "km²": "area-square-kilometer", "m²": "area-square-meter", "m³": "volume-cubic-meter",
    "ha": "area-hectare", "h": "duration-hour", "min": "duration-minute", "s": "duration-second",
    "ms": "duration-millisecond", "kB": "digital-kilobyte", "KB": "digital-kilobyte",
    "MB": "digital-megabyte", "GB": "digital-gigabyte", "TB": "digital-terabyte",
    "Hz": "frequency-hertz", "kHz": "frequency-kilohertz", "MHz": "frequency-megahertz",
    "GHz": "frequency-gigahertz", "W": "power-watt", "kW": "power-kilowatt",
    "kWh": "energy-kilowatt-hour", "V": "electric-volt",
}  # fmt: skip
_MONEY = {
    "US$": "USD", "R$": "BRL", "$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR",
    "₦": "NGN", "₽": "RUB", "₩": "KRW", "zł": "PLN", "Kč": "CZK",
    **{code: code for code in ("USD", "EUR", "GBP", "JPY", "INR", "NGN", "ZAR", "CHF", "ZWG",
                               "CNY", "KES", "BWP", "SEK", "NOK", "DKK", "PLN", "CZK", "BRL")},
}  # fmt: skip


# No library has words for these: they stay, and the engine says them as it can.
_KEPT = {sign: sign for sign in "+=@/%٪°€$£¥₹₦₽₩×÷±"}


def general(tag: str) -> Language:
    """What the libraries know of a language; figures stay where they know no numbers."""
    if not knows(tag):
        return Language(tag, tuple(_addresses()), _signs(tag))
    spoken = _Spoken(tag)
    return Language(
        tag,
        (*_addresses(), *spoken.rules()),
        _signs(tag),
        cardinal=spoken.numbers.signed,
        ordinal=spoken.numbers.ordinal,
    )


def _addresses() -> Iterator[Rule]:
    def url(match: re.Match[str]) -> Said:
        said, behind = addresses.url(match, ".", "/")
        return Edit(match.start(), match.end() - behind, re.sub(r" ([./]) ", r"\1", said))

    yield Rule(addresses.EMAIL, lambda match: match.group().removeprefix("mailto:"))
    yield Rule(addresses.URL, url)


def _signs(tag: str) -> dict[str, str]:
    """ "&" is the word by which CLDR joins a list of two."""
    locale = cldr.locale_of(tag)
    return {**_KEPT, "&": (cldr.joint(locale) if locale else "") or "&"}


class _Spoken:
    def __init__(self, tag: str) -> None:
        self.numbers = Numbers(tag)
        self._locale = cldr.locale_of(tag)
        self._magnitudes = cldr.magnitudes(self._locale) if self._locale else {}
        symbols = self._locale.number_symbols.get("latn", {}) if self._locale else {}
        self._point = symbols.get("decimal", ".")
        group = symbols.get("group", ",")
        grouping = rf"[{re.escape(group)}\u0020\xa0\u202f']"
        fraction = rf"(?:{re.escape(self._point)}(?P<fraction>\d{{1,40}}))?"
        whole = rf"(?P<whole>\d{{1,3}}(?:{grouping}\d{{3}}){{1,6}}(?!\d)|\d{{1,40}})"
        self._number = rf"(?P<sign>[-−](?=\d))?{whole}{fraction}"

    def rules(self) -> Iterator[Rule]:
        alone = r"(?<![\w.,])"
        if self._locale:
            yield rule(
                r"(?<![\w/.-])(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)(?![\w-])", self._date
            )
            yield rule(
                r"(?<![\w/.-])(?P<first>\d{1,2})(?P<sep>[/.-])(?P<second>\d{1,2})(?P=sep)"
                r"(?P<year>\d{4})(?![\w/])",
                self._local_date,
            )
            yield from self._ordinals(self._locale)
            money = _any_of(_MONEY)
            scale = _any_of(self._magnitudes) or "x"
            magnitude = rf"(?:[\u0020\xa0\u202f]?(?P<scale>{scale})(?!\w))?"
            yield rule(
                rf"(?<![\w.,$])(?P<money>{money})[\u0020\xa0]?{self._number}{magnitude}(?!\w)",
                self._price,
            )
            yield rule(
                rf"{alone}{self._number}{magnitude}[\u0020\xa0\u202f]?(?P<money>{money})(?!\w)",
                self._price,
            )
            yield rule(
                r"(?<![\w:.,])(?P<hour>[01]?\d|2[0-3])[\u0020\xa0]?h[\u0020\xa0]?(?P<minute>[0-5]\d)(?!\w)",
                self._hours,
            )
            yield rule(
                rf"{alone}{self._number}[\u0020\xa0\u202f]?(?P<unit>{_any_of(_UNITS)})(?![\w/²³])",
                self._measure,
            )
        yield rule(
            r"(?<![\w:.,])(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?::[0-5]\d)?(?![\w:])",
            self._clock,
        )
        yield rule(
            r"(?<![\w.])\+?\d{1,4}(?:[\u0020.-]\d{2,4}){2,5}(?!\w)"
            r"|(?<!\w)\+\d{1,15}(?:[\u0020.-]\d{1,9}){0,6}(?!\w)",
            self._telephone,
        )
        # A range, or from when to when: a pause, for want of the word.
        yield rule(r"(?<=\d)[\u0020\xa0]?[-–][\u0020\xa0]?(?=\d)", lambda match: ", ")
        yield rule(rf"{alone}{self._number}(?!\w)", self._said)
        yield rule(r"(?<=[^\W\d_])-(?=\d)", lambda match: " ")
        yield rule(r"\d{1,1000}", lambda match: self.numbers.whole(match.group()))

    def _said(self, match: re.Match[str]) -> str:
        whole = re.sub(r"\D", "", match["whole"])
        if match["fraction"]:
            said = self.numbers.decimal(whole, match["fraction"])
        else:
            said = self.numbers.whole(whole)
        return self.numbers.negative(said) if match["sign"] else said

    def _telephone(self, match: re.Match[str]) -> Said:
        groups = re.findall(r"\d+", match.group())
        plus = "+ " if match.group().startswith("+") else ""
        are_thousands = not plus and all(len(one) == 3 for one in groups[1:])
        if not (7 if plus else 9) <= sum(map(len, groups)) <= 15 or are_thousands:
            return None
        return plus + ", ".join(self.numbers.digits(group) for group in groups)

    def _clock(self, match: re.Match[str]) -> Said:
        hour, minute = int(match["hour"]), int(match["minute"])
        said = self.numbers.cardinal(hour)
        return f"{said} {self.numbers.cardinal(minute)}" if minute else said

    def _hours(self, match: re.Match[str]) -> str:
        """ "14h30": the hours as CLDR says them."""
        hour, minute = int(match["hour"]), int(match["minute"])
        said = self._measured(Decimal(hour), "duration-hour", self.numbers.cardinal(hour))
        said = said or self.numbers.cardinal(hour)
        return f"{said} {self.numbers.cardinal(minute)}" if minute else said

    def _ordinals(self, locale: Locale) -> Iterator[Rule]:
        """ "3. März", where dates are written so; "1er", "2e", "3º" where ordinals are."""
        if cldr.dates_have_ordinals(locale):
            names = _any_of(set(cldr.months(locale))) or "x"
            yield rule(
                rf"(?<![\w.,])(?P<nth>\d{{1,2}})\.(?=\s(?:{names})(?!\w))", self._nth, re.IGNORECASE
            )
        if locale.language == "de":
            yield rule(
                r"(?<!\w)(?P<article>der|die|das|dem|den|des|am|im|vom|zum|zur|beim)\s"
                r"(?P<nth>\d{1,3})\.(?=\s\w)",
                lambda match: f"{match['article']} {self._nth(match)}",
                re.IGNORECASE,
            )
        endings = {"fr": "ers?|ères?|re|e|es|ème|èmes|me", "nl": "e|de|ste"}
        ending = endings.get(locale.language)
        if ending:
            yield rule(
                rf"(?<![\w.,])(?P<nth>\d{{1,4}})(?:{ending})(?!\w)",
                self._nth,
            )

    def _nth(self, match: re.Match[str]) -> str:
        return self.numbers.ordinal(int(match["nth"]))

    def _date(self, match: re.Match[str]) -> Said:
        return self._day(int(match["year"]), int(match["month"]), int(match["day"]))

    def _local_date(self, match: re.Match[str]) -> Said:
        assert self._locale
        pattern = str(self._locale.date_formats["short"].pattern)
        first, second = int(match["first"]), int(match["second"])
        day, month = (second, first) if pattern.find("M") < pattern.find("d") else (first, second)
        return self._day(int(match["year"]), month, day)

    def _day(self, year: int, month: int, day: int) -> Said:
        """The long form of the language, its figures in words: "21." of German is an ordinal."""
        try:
            written = format_date(datetime.date(year, month, day), "long", locale=self._locale)
            return re.sub(
                r"(\d+)(\.?)",
                lambda one: (
                    self.numbers.ordinal(int(one[1]))
                    if one[2]
                    else self.numbers.year(int(one[1]))
                    if len(one[1]) == 4
                    else self.numbers.cardinal(int(one[1]))
                ),
                written,
            )
        except ValueError:
            return None

    def _price(self, match: re.Match[str]) -> Said:
        code, count, fraction = _MONEY[match["money"]], _count(match), match["fraction"] or ""
        if match["scale"]:
            count *= self._magnitudes[match["scale"]]
            said = self._plain(match, count)
        elif len(fraction) == 2 and fraction.strip("0"):
            said = self.numbers.money(count, code) or ""
            if said:
                return self.numbers.negative(said) if match["sign"] else said
            said = self._said(match)
        else:
            said = self._plain(match, count)
        return f"{said} {get_currency_name(code, count, locale=self._locale)}"

    def _plain(self, match: re.Match[str], count: Decimal) -> str:
        """A count without its sign, and without a fraction of zeros."""
        if count != int(count):
            return self._said(match)
        return self.numbers.signed(-int(count) if match["sign"] else int(count))

    def _measure(self, match: re.Match[str]) -> Said:
        return self._measured(_count(match), _UNITS[match["unit"]], self._said(match))

    def _measured(self, count: Decimal, unit: str, said: str) -> str | None:
        written = format_unit(count, unit, "long", locale=self._locale)
        figures = format_decimal(count, locale=self._locale)
        # CLDR declines the unit with its number, which is then said in words.
        return written.replace(figures, said) if figures in written else None


def _count(match: re.Match[str]) -> Decimal:
    whole = re.sub(r"\D", "", match["whole"])  # digits of any script
    return Decimal(f"{whole}.{match['fraction'] or ''}")


def _any_of(signs: Iterable[str]) -> str:
    return "|".join(re.escape(sign) for sign in sorted(signs, key=len, reverse=True))
