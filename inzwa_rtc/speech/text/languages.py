"""Which rules read which language."""

from __future__ import annotations

from functools import lru_cache

from inzwa_rtc.language import base_language
from inzwa_rtc.speech.text.language import Language


@lru_cache(maxsize=256)  # tags come from callers: anything may be one
def language_of(tag: str) -> Language:
    """The rules for a language; one without any keeps its figures."""
    if base_language(tag) == "en":
        from inzwa_rtc.speech.text.english import english

        return english(tag)
    if base_language(tag) == "sn":
        from inzwa_rtc.speech.text.shona import shona

        return shona(tag)
    from inzwa_rtc.speech.text.general import general

    return general(tag)
