"""Words that a recogniser is told to expect: a list per language, shipped as data.

Every recogniser that takes such words has the two options of `HotwordOptions`.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel

from inzwa_rtc.errors import ConfigError


class HotwordOptions(BaseModel):
    """Options under `asr:` that a recogniser with hotwords has."""

    hotwords: tuple[str, ...] | None = None
    """Words to expect, whatever the language. None: those shipped for the language."""
    hotwords_file: Path | None = None
    """A file of more of them, one a line."""


class Hotwords:
    """The words to expect in each language. Raises `ConfigError` for a file that can't be read."""

    def __init__(self, options: HotwordOptions) -> None:
        self._own = options.hotwords
        self._more = _lines_of(options.hotwords_file) if options.hotwords_file else ()

    def of(self, language: str | None) -> tuple[str, ...]:
        """For an utterance of this language (BCP 47); None is not known yet: no shipped ones."""
        own = self._own
        if own is None:
            own = shipped(language.split("-")[0].lower()) if language else ()
        return own + self._more


@cache
def shipped(language: str) -> tuple[str, ...]:
    """The list that comes with this package, empty for a language without one."""
    file = files(__package__) / f"{language}.txt"
    return _words(file.read_text(encoding="utf-8")) if file.is_file() else ()


def _lines_of(path: Path) -> tuple[str, ...]:
    try:
        return _words(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"`asr.hotwords_file` {path} cannot be read: {type(error).__name__}.",
            action="Give a text file in UTF-8 with a word a line.",
        ) from None


def _words(text: str) -> tuple[str, ...]:
    lines = (line.strip() for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))
