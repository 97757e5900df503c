"""What texts write short, of all languages that have a list of it, for those who cut texts."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_LISTS = ("english/en.toml",)  # Shona writes nothing short


@dataclass(frozen=True, slots=True)
class Abbreviations:
    """Without their full stop. `anywhere` are short wherever they stand, `before_number` only
    there ("No. 5"). `months` are names of months, `short_months` how they are written short."""

    anywhere: frozenset[str]
    before_number: frozenset[str]
    months: frozenset[str]
    short_months: frozenset[str]


@cache
def abbreviations() -> Abbreviations:
    """All that the reader knows."""
    from inzwa_rtc.speech.text.english.dates import months  # with the libraries that it takes

    anywhere = {"St"}  # of a saint or a street: more than one word, and so not in the list
    before_number: set[str] = set()
    for name in _LISTS:
        data = tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))
        anywhere |= {*data["abbreviations"]}
        before_number |= {*data["before_number"]}
    anywhere |= {one.capitalize() for one in anywhere if one.islower()}
    names = frozenset(months("en"))
    short = {name[:3] for name in names if len(name) > 3} | {"Sept"}
    return Abbreviations(frozenset(anywhere), frozenset(before_number), names, frozenset(short))
