"""What `say-as` asks for, put so that the rules of the language read it in that way."""

from __future__ import annotations

import re

from inzwa_rtc.speech.text.language import Language

_DATE = re.compile(r"(\d{1,4})[/.\s-](\d{1,2})[/.\s-](\d{1,4})")
_WHOLE = re.compile(r"[-−+]?(?:\d{1,3}(?:[,\s]?\d{3}){0,4}|\d{1,15})")


def said_as(text: str, kind: str, form: str, language: Language) -> str:
    """The text as it is to be read: words already, or written so that only one reading is left.
    What the kind does not fit, or the language has no words for, stays as it is."""
    text = text.strip()
    match kind:
        case "characters" | "spell-out" | "verbatim":
            return " ".join(_character(one, language) for one in text if not one.isspace())
        case "digits":
            return " ".join(text.replace(" ", ""))
        case "telephone":
            return ", ".join(" ".join(group) for group in re.findall(r"\d+", text)) or text
        case "cardinal" | "number" if _WHOLE.fullmatch(text):
            return language.cardinal(_number(text)) if language.cardinal else text
        case "ordinal" if _WHOLE.fullmatch(text):
            return language.ordinal(_number(text)) if language.ordinal else text
        case "date":
            return _date(text, form)
    return text  # time, currency and the rest: as the rules read them


def _character(one: str, language: Language) -> str:
    if one.isalpha():
        return one.upper()
    return one if one.isdigit() else language.signs.get(one, one)


def _number(text: str) -> int:
    return int(re.sub(r"[,\s]", "", text).replace("−", "-"))


def _date(text: str, form: str) -> str:
    """As ISO 8601, which the rules of every language read."""
    found = _DATE.fullmatch(text)
    if not found or sorted(form) not in (sorted("dmy"), sorted("ymd")):
        return text
    part = dict(zip(form, found.groups(), strict=True))
    year = int(part["y"])
    year += 2000 if len(part["y"]) < 3 else 0
    return f"{year:04}-{int(part['m']):02}-{int(part['d']):02}"
