"""The engines that a call works with. They may be others from one turn to the next."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from inzwa_rtc.conversation.stages import Rendered
from inzwa_rtc.conversation.voices import Voices
from inzwa_rtc.engines.contracts import LanguageModel, Recognizer, Synthesizer
from inzwa_rtc.settings import Settings
from inzwa_rtc.speech.reading import Manner, Reading

Faults = Mapping[str, Rendered]
"""The apology of each language."""


@dataclass(frozen=True, slots=True)
class EngineSet:
    """Three engines, the settings by which they were chosen, the apologies in their voice, and
    how texts are read aloud."""

    asr: Recognizer
    llm: LanguageModel
    tts: Synthesizer
    settings: Settings
    faults: Faults
    manner: Manner

    @property
    def voices(self) -> Voices:
        """What callers may choose from."""
        return Voices(self.tts, self.settings)

    def reading(self) -> Reading:
        """A new one, for the phrases of one reply."""
        return Reading(self.tts, self.manner)


class EngineSource(Protocol):
    """Gives out the engines of the moment."""

    def lent(self) -> AbstractContextManager[EngineSet]:
        """Engines that serve for as long as the block runs, whatever is given out meanwhile."""
        ...
