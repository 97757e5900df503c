"""The voices of several engines as one list, and which engine a request is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from inzwa_rtc.engines.contracts import Voice
from inzwa_rtc.language import base_language


@dataclass(frozen=True, slots=True)
class Owned:
    """A voice of the list: the engine that has it, and its id there."""

    engine: str
    id: str


class VoiceList:
    """Voices by the engine's name, the preferred engine's first, None for one whose voices are
    not known yet.

    Where two engines have a voice of the same id, it is the preferred engine's; the other is
    listed as `engine:id`. Any voice may be named like that.
    """

    def __init__(self, engines: Mapping[str, Sequence[Voice] | None]) -> None:
        self._engines = engines
        self._owned: dict[str, Owned] = {}
        listed: list[Voice] = []
        for engine, voices in engines.items():
            for voice in voices or ():
                id = f"{engine}:{voice.id}" if voice.id in self._owned else voice.id
                self._owned[id] = Owned(engine, voice.id)
                listed.append(replace(voice, id=id, engine=engine))
        self.all: Sequence[Voice] = tuple(listed)
        self.unknown = [engine for engine, voices in engines.items() if voices is None]
        """The engines whose voices are not known yet."""
        self.nobody_is_known = len(self.unknown) == len(engines)

    def owner(self, id: str) -> Owned | None:
        """Whose voice it is, None where nobody is known to have it."""
        if owned := self._owned.get(id):
            return owned
        engine, _, own = id.partition(":")
        known = {voice.id for voice in self._engines.get(engine) or ()}
        return Owned(engine, own) if own in known else None

    def own_id(self, engine: str, id: str | None) -> str | None:
        """What this engine calls the voice; None where it has none like it."""
        if id is None:
            return None
        if (owned := self.owner(id)) and owned.engine == engine:
            return owned.id
        known = {voice.id for voice in self._engines.get(engine) or ()}
        return id if id in known else None

    def order(self, id: str | None, language: str) -> list[str]:
        """The engines in the order in which they are to be asked: the voice's owner, then those
        that speak the language or may do so, then the others; the preferred first of each."""
        owner = self.owner(id) if id is not None else None

        def rank(engine: str) -> int:
            if owner is not None and engine == owner.engine:
                return 0
            return 1 if self._may_speak(engine, language) else 2

        return sorted(self._engines, key=rank)

    def _may_speak(self, engine: str, language: str) -> bool:
        voices = self._engines[engine]
        wanted = base_language(language)
        return voices is None or any(
            base_language(voice.language) in ("", wanted) for voice in voices
        )
