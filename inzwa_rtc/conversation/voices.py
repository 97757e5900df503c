"""Languages and voices: what is offered, what is refused, and what goes together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from inzwa_rtc.conversation.peer import UpdateVoice
from inzwa_rtc.conversation.spoken import languages
from inzwa_rtc.conversation.voice import VoiceSettings
from inzwa_rtc.engines.contracts import PreferringSynthesizer, Synthesizer, Voice
from inzwa_rtc.errors import ConfigError, PeerError
from inzwa_rtc.language import base_language
from inzwa_rtc.settings import Settings
from inzwa_rtc.speech.speed import checked_speed


class Voices:
    """What one speech engine and the server's own lines have for callers."""

    def __init__(self, synthesizer: Synthesizer, settings: Settings) -> None:
        self._synthesizer = synthesizer
        self._settings = settings

    @property
    def all(self) -> Sequence[Voice]:
        """The engine's voices, its default one first."""
        return self._synthesizer.voices

    def languages(self) -> list[str]:
        """Languages that a caller may choose: those with lines of their own and a voice, and
        the server's own, for which the engine may have to take its nearest voice."""
        spoken = {base_language(voice.language) for voice in self.all}
        own = base_language(self._settings.language)
        speaks_any = "" in spoken
        return [
            language
            for language in languages()
            if speaks_any or language in spoken or language == own
        ]

    def check_settings(self) -> None:
        """Raises `ConfigError` for a `language` or `tts_voice` that no caller could be given.
        A voice is not refused before the engine that is to have it was loaded."""
        if base_language(self._settings.language) not in self.languages():
            raise ConfigError(
                f"`language` is `{self._settings.language}`, which this server does not speak.",
                action=f"Set it to one of: {', '.join(languages())}.",
            )
        engine, own = self._synthesizer, self._settings.tts_voice
        if isinstance(engine, PreferringSynthesizer) and not engine.knows_all_voices:
            return
        if own is not None and own not in self._ids():
            raise ConfigError(
                f"`tts_voice` is `{own}`, and the speech engine has no such voice.",
                action=f"Set it to one of: {', '.join(self._ids())}.",
            )

    def usual(self) -> VoiceSettings:
        """How a caller is spoken to who asks for nothing."""
        language = _tidy(self._settings.language)
        return VoiceSettings(language, self._of_language(language), 1.0)

    def choose(self, asked: UpdateVoice, current: VoiceSettings) -> VoiceSettings:
        """How a caller is spoken to from now on who is spoken to as `current` and asks for
        this. A new language brings a voice that fits it, unless one is asked for.

        Raises `PeerError` for a language or a voice that is not offered, and for a speed that
        there is not.
        """
        language = _tidy(asked.language) if asked.language else current.language
        if base_language(language) not in self.languages():
            raise PeerError(
                "This language is not offered.",
                action=f"Choose one of: {', '.join(self.languages())}.",
                code="unknown_language",
            )
        if asked.voice is not None and asked.voice not in self._ids():
            raise PeerError(
                "There is no such voice.",
                action=f"Choose one of: {', '.join(self._ids())}.",
                code="unknown_voice",
            )
        is_same = base_language(language) == base_language(current.language)
        wished = asked.voice or (current.wished if is_same else None)
        speed = current.speed if asked.speed is None else checked_speed(asked.speed)
        return self.nearest(VoiceSettings(language, None, speed, wished))

    def for_text(self, voice: str | None, language: str | None, speed: float) -> VoiceSettings:
        """How a text is read that belongs to no call: in any language that a voice speaks, in
        the voice's own where none is named. A mix (`one*0.7+other*0.3`) is a voice, if the
        engine takes it for one.

        Raises `PeerError` as `choose` does.
        """
        ids = set(self._ids())
        parts = {one.partition("*")[0].strip() for one in (voice or "").split("+")}
        if voice is not None and voice not in ids and not parts <= ids:
            raise PeerError(
                "There is no such voice.",
                action=f"Choose one of: {', '.join(sorted(ids))}.",
                code="unknown_voice",
            )
        if language is None:
            own = next((one.language for one in self.all if one.id == voice), "")
            language = own or self._settings.language
        language = _tidy(language)
        spoken = {base_language(one.language) for one in self.all}
        offered = {*spoken, *self.languages()}
        if "" not in spoken and base_language(language) not in offered:
            raise PeerError(
                "No voice speaks this language.",
                action=f"Choose one of: {', '.join(sorted(offered))}.",
                code="unknown_language",
            )
        return VoiceSettings(language, voice or self._of_language(language), checked_speed(speed))

    def nearest(self, wish: VoiceSettings) -> VoiceSettings:
        """The best that there is for a caller who wishes to be spoken to like this: in that
        language and the wished voice where they are offered, else in the usual one."""
        if base_language(wish.language) not in self.languages():
            return replace(self.usual(), speed=wish.speed)
        is_offered = wish.wished in self._ids()
        return replace(wish, voice=wish.wished if is_offered else self._of_language(wish.language))

    def _of_language(self, language: str) -> str | None:
        """The voice for a language: the configured one where it is meant, else one that fits,
        of the same region if there is one, of the first engine that speaks the language. None
        where that engine's voices speak any, and where none fits: it then takes its own, or the
        nearest that it has."""
        base, own = base_language(language), self._settings.tts_voice
        fitting = [voice for voice in self.all if base_language(voice.language) in ("", base)]
        in_it = [voice for voice in fitting if voice.language]
        if own is not None and (
            own in {voice.id for voice in in_it} or base == base_language(self._settings.language)
        ):
            return own
        first = [voice for voice in in_it if voice.engine == fitting[0].engine]
        first.sort(key=lambda voice: voice.language.lower() != language.lower())
        return first[0].id if first else None

    def _ids(self) -> list[str]:
        return sorted(voice.id for voice in self.all)


def _tidy(language: str) -> str:
    """As it is usually written: `en-GB` for `EN-GB`, and for the `en_GB` of locales."""
    language = language.replace("_", "-")
    _, separator, region = language.partition("-")
    return f"{base_language(language)}{separator}{region}"
