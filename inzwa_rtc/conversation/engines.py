"""The engines that a call works with. They may be others from one turn to the next."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from inzwa_rtc.conversation.rehearsal import Rendered
from inzwa_rtc.conversation.voices import Voices
from inzwa_rtc.engines.contracts import LanguageModel, Recognizer, Synthesizer
from inzwa_rtc.safety import Safety
from inzwa_rtc.settings import Settings
from inzwa_rtc.speech.cache.cache import PhraseCache
from inzwa_rtc.speech.cost import Spending
from inzwa_rtc.speech.kept_reading import KeptReading
from inzwa_rtc.speech.reading import Manner, Reading
from inzwa_rtc.tools.toolbox import Toolbox

Faults = Mapping[str, Rendered]
"""The apology of each language."""


@dataclass(frozen=True, slots=True)
class EngineSet:
    """Three engines, the settings by which they were chosen, the apologies in their voice,
    how texts are read aloud, what was spoken before, what all of it costs, what may be said, and
    the tools that the language model may ask for."""

    asr: Recognizer
    llm: LanguageModel
    tts: Synthesizer
    settings: Settings
    faults: Faults
    manner: Manner
    cache: PhraseCache
    spending: Spending
    safety: Safety
    tools: Toolbox = field(default_factory=Toolbox)

    @property
    def voices(self) -> Voices:
        """What callers may choose from."""
        return Voices(self.tts, self.settings)

    def reading(self, caller: str) -> KeptReading:
        """A new one, for the phrases of one reply to this caller, in whose name they are
        counted."""

        def count(engine: str, model: str, characters: int) -> None:
            self.spending.count(caller, engine, model, characters)

        return KeptReading(Reading(self.tts, self.manner, count=count), self.cache)


class EngineSource(Protocol):
    """Gives out the engines of the moment."""

    def lent(self) -> AbstractContextManager[EngineSet]:
        """Engines that serve for as long as the block runs, whatever is given out meanwhile."""
        ...
