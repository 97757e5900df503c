"""All the rules of English, in the order in which they are tried."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from inzwa_rtc.speech.text import addresses
from inzwa_rtc.speech.text.english.amounts import amounts
from inzwa_rtc.speech.text.english.dates import dates
from inzwa_rtc.speech.text.english.figures import ALONE, NUMBER, SIGN, Figures, plain
from inzwa_rtc.speech.text.english.words import words
from inzwa_rtc.speech.text.expansion import Rule, Said, rule
from inzwa_rtc.speech.text.language import Language
from inzwa_rtc.speech.text.tracked import Edit

_VULGAR = {
    "½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5),
    "⅗": (3, 5), "⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8),
    "⅞": (7, 8),
}  # fmt: skip


def english(tag: str = "en") -> Language:
    """English of a region: `en-US` has the month before the day, others the day."""
    data = tomllib.loads(files(__package__).joinpath("en.toml").read_text(encoding="utf-8"))
    figures = Figures(tag)
    return Language(
        tag,
        tuple(_rules(figures, tag, data)),
        data["signs"],
        data["code_notice"],
        lambda number: figures.number(str(abs(number)), None, "-" if number < 0 else None),
        lambda number: figures.ordinal(abs(number)),
    )


def _rules(figures: Figures, tag: str, data: dict[str, Any]) -> Iterator[Rule]:
    yield from _addresses()
    yield from _spans()
    yield from _telephone(figures)
    yield from dates(figures, tag)
    yield _lettered(figures, data["lettered"]["names"])
    yield from amounts(figures, data)
    yield from words(figures, data)
    yield from _numbers(figures, data["magnitudes"])
    yield from _signs()


def _addresses() -> Iterator[Rule]:
    def url(match: re.Match[str]) -> Said:
        said, behind = addresses.url(match, "dot", "slash")
        return Edit(match.start(), match.end() - behind, said)

    yield Rule(addresses.EMAIL, lambda match: addresses.email(match, "at", "dot"))
    yield Rule(addresses.URL, url)


def _spans() -> Iterator[Rule]:
    """ "9am-5pm", "20%-30%", "£1m–£2m": a dash between two amounts."""
    dash = r"\s?[-–]\s?"
    yield rule(
        rf"(?<=%){dash}(?=\d)|(?<=[ap]m){dash}(?=\d)|(?<=:\d\d){dash}(?=\d{{1,2}}:\d\d)"
        rf"|(?<=[\dmkn]){dash}(?=[$€£]\d)",
        lambda match: " to ",
    )


def _telephone(figures: Figures) -> Iterator[Rule]:
    def groups(match: re.Match[str]) -> Said:
        if not 7 <= sum(sign.isdigit() for sign in match.group()) <= 15:
            return None
        said = [figures.digits(group) for group in re.findall(r"\d+", match.group())]
        return ("plus " if match.group().startswith("+") else "") + ", ".join(said)

    yield rule(  # "Call 116 or 999"
        r"(?<!\w)(?i:call|dial|phone|ring|text)\s(?P<said>\d{3,6}(?:(?:\sor\s|,\s|\s/\s|/)\d{3,6}){0,5})"
        r"(?=[.!?;,)]|\s(?:or|and|if|for|now|to|from|in|at)\b|\s*$)",
        lambda match: Edit(
            match.start("said"),
            match.end("said"),
            re.sub(r"\d+", lambda one: figures.digits(one.group()), match["said"]),
        ),
    )
    yield rule(  # "Call 555-1234"
        r"(?<!\w)(?i:call|dial|phone|ring|text|tel\.?|at|on)\s(?P<said>\d{3}-\d{4})(?![\w-])",
        lambda match: Edit(
            match.start("said"),
            match.end("said"),
            ", ".join(figures.digits(group) for group in match["said"].split("-")),
        ),
    )
    yield rule(  # a payment card
        r"(?<![\w.+-])\d{4}(?:(?P<sep>[\u0020-])\d{4}(?:(?P=sep)\d{4}){1,3}|[\u0020-]\d{6}[\u0020-]\d{5})"
        r"(?![\w-])",
        lambda match: ", ".join(figures.digits(one) for one in re.split("[ -]", match.group())),
    )
    between = r"[\u0020\xa0.-]?"
    yield rule(rf"(?<![\w.+])\+\d{{1,4}}(?:{between}\(?\d{{1,9}}\)?){{1,6}}(?![\w])", groups)
    yield rule(r"(?<![\w.+-])0\d{1,4}(?:[\u0020-]\d{2,7}){1,4}(?![\w-])", groups)
    yield rule(r"(?<![\w.+-])0\d{8,11}(?![\w.-])", groups)
    yield rule(r"(?<![\w.+-])\(?\d{3}\)?[\u0020.-]\d{3}[.-]\d{4}(?![\w-])", groups)


def _lettered(figures: Figures, names: list[str]) -> Rule:
    """ "Apt. 4B", "Gate 12A": no amount of anything."""
    any_of = "|".join(re.escape(name) for name in names)
    return rule(
        rf"(?<!\w)(?i:{any_of})\s(?P<said>(?P<figures>\d{{1,4}})(?P<letter>[A-Z]))(?!\w)",
        lambda match: Edit(
            match.start("said"),
            match.end("said"),
            f"{figures.code(match['figures'])} {match['letter']}",
        ),
    )


def _numbers(figures: Figures, magnitudes: dict[str, str]) -> Iterator[Rule]:
    def version(match: re.Match[str]) -> str:
        parts = [figures.number(part) for part in match["parts"].split(".")]
        return ("version " if match["v"] else "") + " point ".join(parts)

    yield rule(  # an ISBN, a case number
        r"(?<![\w.-])\d{1,9}(?:-\d{1,9}){2,6}(?![\w-])",
        lambda match: ", ".join(figures.digits(group) for group in match.group().split("-")),
    )
    yield rule(  # pictures of 4K, a run of 5k
        r"(?<![\w.,])(?:[2-8]|12|16)K(?!\w)|(?<![\w.,])\d{1,2}[kK](?=\s(?:run|race|walk|resolution|video)s?\b)",
        lambda match: f"{figures.cardinal(int(match.group()[:-1]))} K",
    )
    yield rule(
        rf"{ALONE}{NUMBER}[xX×](?![\w])(?!\s?\d)",
        lambda match: f"{figures.number(match['whole'], match['fraction'])} times",
    )
    yield rule(
        r"(?<=\d)(?P<minus>⁻)?(?P<power>[⁰¹²³⁴-⁹]{2,6}|[⁰¹⁴-⁹]|(?<=⁻)[²³])",
        lambda match: f" to the power of {_power(figures, match)}",
    )
    yield rule(
        rf"{ALONE}{NUMBER}(?P<scale>[kKMB]|bn|mn|tn)(?!\w)",
        lambda match: (
            f"{figures.number(match['whole'], match['fraction'])} {magnitudes[match['scale']]}"
        ),
    )
    yield rule(
        r"(?<![\w.])(?P<feet>\d)['′](?P<inches>\d{1,2})[\"″]",
        lambda match: f"{figures.number(match['feet'])} foot {figures.number(match['inches'])}",
    )
    yield rule(r"(?<![\w.])(?P<v>[vV])?(?P<parts>\d{1,6}(?:\.\d{1,6}){2,6})(?!\w)", version)
    yield rule(r"(?<![\w.])(?P<v>[vV])(?P<parts>\d{1,6}(?:\.\d{1,6})?)(?![\w])", version)
    yield rule(
        r"(?<![\w.,])(?P<number>\d{1,3}(?:,\d{3}){1,4}|\d{1,9})(?:st|nd|rd|th|ST|ND|RD|TH)(?!\w)",
        lambda match: figures.ordinal(int(match["number"].replace(",", ""))),
    )
    yield rule(
        r"(?<![\w.,/])(?:(?P<whole>\d{1,6})\s)?(?P<over>\d{1,2})[/⁄](?P<under>\d{1,4})(?![\w/]|[.,]\d)",
        lambda match: _mixed(figures, match["whole"], int(match["over"]), int(match["under"])),
    )
    yield rule(
        rf"(?<![\w.,])(?P<whole>\d{{1,9}})?(?P<sign>[{''.join(_VULGAR)}])(?!\w)",
        lambda match: _mixed(figures, match["whole"], *_VULGAR[match["sign"]]),
    )
    yield rule(
        rf"{ALONE}{SIGN}{NUMBER}\s?[–-](?P<between>\s?)(?P<upper>(?:\d{{1,3}}(?:,\d{{3}}){{1,3}}|\d{{1,9}})(?:\.\d{{1,9}})?)(?![\w-]|,\d)",
        lambda match: _range(figures, match),
    )
    yield rule(
        r"(?<=\d)\s?[x×*]\s?(?=\d)",
        lambda match: " by " if match.group() == "x" else " times ",
    )
    yield rule(r"(?<=[\d)])\s[-−]\s(?=[\d(])", lambda match: " minus ")
    yield rule(r"(?<![\d.]\d):(?=\d(?!\d))", lambda match: " to ")
    yield rule(r"(?<=\d):(?=\d)", lambda match: " ")
    yield rule(r"~(?=\d)", lambda match: "approximately ")
    yield rule(r"(?<=\d)\s?/\s?(?=\d)", lambda match: " over ")
    yield rule(r"(?<=\s)[<](?=\s)", lambda match: "is less than")
    yield rule(r"(?<=\s)[>](?=\s)", lambda match: "is more than")
    yield rule(r"\^2(?!\d)|²", lambda match: " squared")
    yield rule(r"\^3(?!\d)|³", lambda match: " cubed")
    yield rule(r"\^(?=-?\d)", lambda match: " to the power of ")
    yield rule(  # "2.5D"
        r"(?<![\w.,])(?P<whole>\d{1,15})\.(?P<fraction>\d{1,15})(?=[A-Za-z])",
        lambda match: figures.number(match["whole"], match["fraction"]),
    )
    yield rule(
        rf"(?<![\w.]){SIGN}{NUMBER}(?![^\W⁰¹²³⁴-⁹])",
        lambda match: figures.number(match["whole"], match["fraction"], match["sign"]),
    )
    yield rule(
        r"(?<![\w.])(?P<sign>[-−])?\.(?P<fraction>\d{1,40})(?!\w)",
        lambda match: figures.number("0", match["fraction"], match["sign"]),
    )
    # "COVID-19", "B2B", "abc123": figures of a name. Longer ones than any rule takes end here too.
    yield rule(r"(?<=\d),(?=\d)", lambda match: ", ")
    yield rule(r"(?<=[A-Za-z])-(?=\d)", lambda match: " ")
    yield rule(r"\d{1,1000}", lambda match: figures.code(match.group()))


def _power(figures: Figures, match: re.Match[str]) -> str:
    power = unicodedata.normalize("NFKC", match["power"])
    return figures.number(power, None, "-" if match["minus"] else None)


def _mixed(figures: Figures, whole: str | None, over: int, under: int) -> Said:
    part = figures.part(over, under)
    if part is None or not whole:
        return part
    return f"{figures.number(whole)} and {part.replace('one ', 'a ', 1) if over == 1 else part}"


def _range(figures: Figures, match: re.Match[str]) -> Said:
    lower = figures.number(match["whole"], match["fraction"], match["sign"])
    whole, _, fraction = match["upper"].partition(".")
    upper = figures.number(whole, fraction or None)
    # "10 - 3" goes down: that is arithmetic.
    goes_up = float(plain(match["upper"])) > int(plain(match["whole"]))
    is_sum = match.string[match.end() :].lstrip()[:1] == "="
    if match["between"] and (is_sum or not goes_up):
        return f"{lower} minus {upper}"
    return f"{lower} to {upper}"


def _signs() -> Iterator[Rule]:
    yield rule(r"(?<=\w)@(?=\w)", lambda match: " at ")
    yield rule(r"(?<=\b[CFJ])\#(?!\w)", lambda match: " sharp")
    yield rule(r"(?<=\w)\+\+(?!\w)", lambda match: " plus plus")
    yield rule(r"(?<=\d)\+(?!\w)", lambda match: " plus")
