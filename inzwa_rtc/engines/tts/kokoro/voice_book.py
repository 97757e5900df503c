"""The voices of one model that can be chosen, mixes among them, and what each is read as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from inzwa_rtc.engines.contracts import Voice
from inzwa_rtc.engines.tts.kokoro.mix import Mix, read_mix
from inzwa_rtc.engines.tts.kokoro.phonemes import LANGUAGES
from inzwa_rtc.engines.tts.kokoro.voices import Style, voice_of
from inzwa_rtc.errors import ConfigError, EngineError, EngineUnavailable
from inzwa_rtc.language import base_language

_log = structlog.get_logger(__name__)

_NAMED = 20  # voices in a message


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: the style for each length of text, and the language of the phonemes."""

    style: Style
    language: str


class VoiceBook:
    """`voices` are those that can be chosen, the default one first.

    Raises `EngineUnavailable` where no voice can be read, and `ConfigError` for a default voice
    or a mix that there cannot be.
    """

    def __init__(
        self, styles: Mapping[str, Style], mixes: Mapping[str, str], default: str | None
    ) -> None:
        self._styles = styles
        told = {name: voice_of(name) for name in styles}
        self._single = {name: voice for name, voice in told.items() if voice is not None}
        if left_out := sorted(told.keys() - self._single.keys()):
            _log.warning("tts.voices_left_out", voices=left_out)
        if not self._single:
            raise EngineUnavailable(
                f"None of the voices ({', '.join(left_out[:_NAMED])}) can be read here.",
                action="Take a file with voices for another language than Japanese and Chinese.",
            )
        self._mixes: dict[str, Mix] = {}
        self.voices: Sequence[Voice] = tuple(self._single.values())
        mixed = [self._mixed(name, mix) for name, mix in mixes.items()]
        self.voices = (*mixed, *self.voices)
        if default is not None:
            if default not in {voice.id for voice in self.voices}:
                self.voices = (self._mixed(default, default), *self.voices)
            self.voices = tuple(sorted(self.voices, key=lambda voice: voice.id != default))
        elif mixed:  # the first voice of the file, then, as without them
            self.voices = (*self.voices[len(mixed) :], *mixed)

    def reader(self, voice: str | None, language: str) -> Reader:
        """Who reads a request. Raises `EngineError` for a voice that there is not."""
        mix = self._mix(self._of_language(language) if voice is None else voice)
        own = self._language_of(mix)
        # In the region that is asked for where it is a region of the voice's own language.
        is_own = base_language(own) == base_language(language)
        regional = {known.lower(): known for known in LANGUAGES}.get(language.lower(), own)
        return Reader(mix.style(self._styles), regional if is_own else own)

    def _of_language(self, language: str) -> str:
        for told in (language.lower(), base_language(language)):
            for voice in self.voices:
                if told in (voice.language.lower(), base_language(voice.language)):
                    return voice.id
        return self.voices[0].id

    def _mix(self, asked: str) -> Mix:
        mix = self._mixes.get(asked) or read_mix(asked)
        if mix is None:
            raise self._unknown("That is neither a voice nor a mix of voices.")
        strange = mix.shares.keys() - self._single.keys()
        if strange & self._styles.keys():
            raise self._unknown("A voice for Japanese, Chinese or no known language is not read.")
        if strange:
            raise self._unknown("The model has no voice of that name.")
        return mix

    def _mixed(self, name: str, mix: str) -> Voice:
        """A mix of the configuration as a voice of its own."""
        if name in self._styles:
            raise ConfigError(
                f"`tts.mixes` has the name of a voice, `{name}`.",
                action="Give the mix another name.",
            )
        try:
            self._mixes[name] = self._mix(mix)
        except EngineError as error:
            raise ConfigError(
                f"`{mix[:100]}` under `tts:` cannot be spoken with. {error.message}",
                action=error.action,
            ) from None
        leading = self._single[self._mixes[name].leading]
        return replace(leading, id=name, name=name)

    def _language_of(self, mix: Mix) -> str:
        return self._single[mix.leading].language

    def _unknown(self, message: str) -> EngineError:
        ids = [voice.id for voice in self.voices]
        more = ", ..." if len(ids) > _NAMED else ""
        return EngineError(
            message,
            action=f"Choose one of: {', '.join(ids[:_NAMED])}{more}; or mix some: "
            "`af_bella*0.7+af_sarah*0.3`.",
            code="unknown_voice",
        )
