"""How texts are read, as the operator's settings say."""

from __future__ import annotations

from collections.abc import Iterable

from inzwa_rtc.settings.speech import SpeechSettings
from inzwa_rtc.speech.joining import Joints
from inzwa_rtc.speech.reading import Manner
from inzwa_rtc.speech.text import lexicon_file
from inzwa_rtc.speech.text.reader import TextReader
from inzwa_rtc.speech.text.rules import Rules

_SAMPLE = "On 3 March 2024 at 14:05, the 2nd of 26 cost $19.50 for 3 km: 😀 https://example.org"


def manner_of(settings: SpeechSettings) -> Manner:
    """Reads the files that are named, which may block. Raises `ConfigError`."""
    return Manner(
        TextReader,
        Rules(
            lexicon_file.load(settings.lexicon),
            settings.code_blocks,
            settings.emoji,
            settings.ssml,
        ),
        Joints(settings.crossfade_ms, settings.fade_ms),
        settings.piece_chars,
    )


def prepare(manner: Manner, languages: Iterable[str]) -> None:
    """Load what the languages need, so that no caller waits for it. It may block."""
    for language in languages:
        for _ in manner.reader(language, manner.rules).read(_SAMPLE, manner.piece_chars):
            pass
