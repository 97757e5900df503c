"""Which rules read which language."""

from __future__ import annotations

from functools import cache

from inzwa_rtc.language import base_language
from inzwa_rtc.speech.text.language import Language


@cache
def language_of(tag: str) -> Language:
    """The rules for a language; one without any keeps its figures."""
    if base_language(tag) == "en":
        from inzwa_rtc.speech.text.english import english

        return english(tag)
    if base_language(tag) == "sn":
        from inzwa_rtc.speech.text.shona import shona

        return shona(tag)
    return Language(tag)
