"""What the guide takes a text for."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from inzwa_rtc.engines.guide.matching import Matcher
from inzwa_rtc.engines.guide.script import load, phrases


def intent_of(text: str, extra: Path | None = None) -> str | None:
    """The intent that a text means, None for one that is not understood; `extra` is a script
    laid over the shipped one."""
    meaning = _matcher(extra).match(text)
    return meaning.intent if meaning else None


@cache
def _matcher(extra: Path | None) -> Matcher:
    return Matcher(phrases(load(extra=extra)))
