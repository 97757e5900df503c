"""What CLDR knows of how a language writes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from babel import Locale, UnknownLocaleError

_MAGNITUDES = (10**6, 10**9, 10**12)


def locale_of(tag: str) -> Locale | None:
    for one in (tag.replace("_", "-"), tag.split("-")[0]):
        try:
            return Locale.parse(one, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return None


def joint(locale: Locale) -> str:
    """The word by which a list of two is joined: "und"; empty where it is no word of its own."""
    both = str(locale.list_patterns.get("standard", {}).get("2", ""))
    word = both.replace("{0}", "").replace("{1}", "").strip()
    return word if word.isalpha() else ""


def magnitudes(locale: Locale) -> dict[str, int]:
    """How millions and more are written, short and in full: "Mio.", "Millionen"."""
    found: dict[str, int] = {}
    for patterns in locale.compact_decimal_formats.values():
        for forms in patterns.values():
            for magnitude in _MAGNITUDES:
                pattern = str(getattr(forms.get(str(magnitude)), "pattern", ""))
                if match := re.fullmatch(r"0[\s\xa0]*([^\W\d].*)", pattern.replace("'", "")):
                    found[match[1]] = magnitude
    return found


def dates_have_ordinals(locale: Locale) -> bool:
    """Whether a day is written with a full stop, as an ordinal: "3. März"."""
    return "d." in str(locale.date_formats["long"].pattern)


def months(locale: Locale) -> Iterator[str]:
    """The names of the months, in each form that is a single word."""
    for form in ("format", "stand-alone"):
        yield from (name for name in locale.months[form]["wide"].values() if name.isalpha())
