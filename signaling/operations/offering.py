"""What this server offers: voices, languages, formats, engines, limits."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

from inzwa_rtc.audio.container import FORMATS
from inzwa_rtc.conversation.voices import Voices
from inzwa_rtc.engines.contracts import EngineKind, LanguageKnowingRecognizer
from inzwa_rtc.errors import PeerError
from inzwa_rtc.language import base_language, with_hyphens
from inzwa_rtc.settings import Settings
from signaling.switchboard import Switchboard

ENGINE_KINDS: tuple[EngineKind, ...] = ("asr", "llm", "tts")

_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*", re.ASCII)


class Offering:
    """What may be asked for, of the engines of the moment."""

    def __init__(self, switchboard: Switchboard[Any]) -> None:
        self._switchboard = switchboard

    @property
    def settings(self) -> Settings:
        """Those that new requests follow."""
        return self._switchboard.now.settings

    @property
    def voices(self) -> Voices:
        """What may be chosen from."""
        return self._switchboard.now.voices

    def default_voice(self) -> str | None:
        """The id of the one of those who name none; None of an engine without voices."""
        voices = self.voices
        return voices.usual().voice or next((one.id for one in voices.all), None)

    def recognised_languages(self) -> list[str]:
        """Those that the recogniser understands; where it does not tell, the one that it is set
        to and those that calls are held in."""
        recognizer = self._switchboard.now.asr
        known: list[str] = []
        if isinstance(recognizer, LanguageKnowingRecognizer):
            known = list(recognizer.languages)
        if known:
            return known
        own = self.settings.asr_language
        return list(dict.fromkeys([*([own] if own else []), *self.voices.languages()]))

    def check_voice(self, voice: str) -> None:
        """Raises `PeerError` for a voice that there is not."""
        ids = sorted(one.id for one in self.voices.all)
        if voice not in ids:
            raise PeerError(
                "There is no such voice.",
                action=f"Choose one of: {', '.join(ids)}.",
                code="unknown_voice",
            )

    def check_recognised(self, language: str) -> str:
        """The tag as it is usually written. Raises `PeerError` for a language that the recogniser
        does not understand, as far as it tells."""
        recognizer = self._switchboard.now.asr
        known: list[str] = []
        if isinstance(recognizer, LanguageKnowingRecognizer):
            known = [base_language(one) for one in recognizer.languages]
        is_known = not known or base_language(language) in known
        if not _TAG.fullmatch(language) or not is_known:
            raise PeerError(
                "This language is not recognised.",
                action=f"Choose one of: {', '.join(self.recognised_languages())}.",
                code="unknown_language",
            )
        return with_hyphens(language)

    def engine_names(self) -> dict[str, str]:
        """The engine of each kind that is in use."""
        return {kind: one.name for kind, one in self._switchboard.status().items()}

    def engines_ready(self) -> dict[str, bool]:
        """Whether the engine of each kind serves requests now."""
        states = self._switchboard.status()
        return {kind: kind in states and states[kind].state == "ready" for kind in ENGINE_KINDS}

    def formats(self) -> list[str]:
        """In which speech may be had."""
        return list(FORMATS)

    def listed_voices(self) -> list[dict[str, str]]:
        """All that is known of each voice, the engine's default one first."""
        return [asdict(voice) for voice in self.voices.all]
