"""Names of languages as Qwen3-TTS writes them."""

from __future__ import annotations

from collections.abc import Iterable

_NAMES = {
    "chinese": "zh",
    "english": "en",
    "french": "fr",
    "german": "de",
    "italian": "it",
    "japanese": "ja",
    "korean": "ko",
    "portuguese": "pt",
    "russian": "ru",
    "spanish": "es",
}


def by_tag(names: Iterable[str]) -> dict[str, str]:
    """The model's names of its languages by their BCP 47 tags; what is none (`auto`) is left
    out, and so is a language that is not known here."""
    return {_NAMES[name.lower()]: name for name in names if name.lower() in _NAMES}
