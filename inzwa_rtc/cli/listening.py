"""The loudness of a voice, found before a file of its speech is begun."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from inzwa_rtc.audio.frame import BYTES_PER_SAMPLE
from inzwa_rtc.cli.speaking import NamedSynthesizer
from inzwa_rtc.engines.contracts import Speaker, SpeechChunk, SpeechRequest, Voice
from inzwa_rtc.settings import Settings
from inzwa_rtc.speech.cache.cache import loudness_file
from inzwa_rtc.speech.loudness import MEASURE_BLOCKS, Loudness
from inzwa_rtc.speech.reading import Count, Manner, Reading
from inzwa_rtc.speech.timing import Paces

_MOST_S = 30.0  # of a text that are kept in memory, should its voice be silent for long


class Listened:
    """A synthesizer whose first requests may be made before they are asked for: then they are
    not made again. `count` is told of all that is made."""

    def __init__(self, engine: NamedSynthesizer, count: Count) -> None:
        self.engine = engine
        self.voices: Sequence[Voice] = engine.voices
        self.sample_rate = engine.sample_rate
        self.max_chars: int | None = getattr(engine, "max_chars", None)
        self._count = count
        self._kept: dict[SpeechRequest, list[SpeechChunk]] = {}
        self._is_listening = False

    def speaker(self, voice: str | None, language: str) -> Speaker:
        """Who would be asked first."""
        return self.engine.speaker(voice, language)

    def model_of(self, engine: str) -> str:
        """The model that this engine speaks with."""
        return self.engine.model_of(engine)

    async def listen(self, request: SpeechRequest, manner: Manner, settings: Settings) -> Loudness:
        """The loudness to read this text with. A voice that is not known yet is listened to, in
        the text's own first sentences. Where they are too few to know it for good, they count
        for this text alone."""
        loudness = Loudness(settings.tts_loudness_lufs, loudness_file(settings))
        by_whom = self.speaker(request.voice, request.language)
        named = request.voice or request.language
        if loudness.is_known(by_whom.engine, named, by_whom.fingerprint):
            return loudness
        # As the engine makes it: no pace is learned of what is read twice.
        reading = Reading(self, replace(manner, loudness=loudness, paces=Paces()))
        self._is_listening = True
        for piece in reading.pieces(request):
            async with aclosing(reading.speak(request, [piece])) as chunks:
                async for _ in chunks:
                    pass
            by_whom = self._spoken_by(by_whom)
            is_known = loudness.is_known(by_whom.engine, named, by_whom.fingerprint)
            if is_known or self._seconds() > _MOST_S:
                break
        self._is_listening = False
        if loudness.is_known(by_whom.engine, named, by_whom.fingerprint):
            return loudness
        return self._by_what_there_is(by_whom, named, settings.tts_loudness_lufs)

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        """As the engine does, or did."""
        if (kept := self._kept.get(request)) is not None:
            for chunk in kept:
                yield chunk
            return
        made: list[SpeechChunk] = []
        is_begun = False
        async with aclosing(self.engine.synthesize(request)) as chunks:
            async for chunk in chunks:
                if not is_begun:
                    is_begun = True
                    self._count(chunk.engine, self.model_of(chunk.engine), len(request.text))
                if self._is_listening:
                    made.append(chunk)
                yield chunk
        if self._is_listening:
            self._kept[request] = made

    def _by_what_there_is(self, by_whom: Speaker, named: str, target: float | None) -> Loudness:
        own = Loudness(target)
        sound = b"".join(chunk.pcm for made in self._kept.values() for chunk in made)
        for _ in range(MEASURE_BLOCKS):  # each time at least one block, if it is heard at all
            if own.feed(by_whom.engine, named, sound, self.sample_rate, by_whom.fingerprint):
                break
        return own

    def _spoken_by(self, expected: Speaker) -> Speaker:
        """The engine that was heard: another one may stand in for the expected one."""
        spoke = next((made[0].engine for made in self._kept.values() if made), expected.engine)
        return expected if spoke == expected.engine else Speaker(spoke)

    def _seconds(self) -> float:
        size = sum(len(chunk.pcm) for made in self._kept.values() for chunk in made)
        return size / BYTES_PER_SAMPLE / self.sample_rate
