"""Several speech engines that stand in for each other, with one list of voices."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import TypeVar

import structlog

from inzwa_rtc.audio.resample import Resampler
from inzwa_rtc.engines.breaker import BreakerPolicy, BreakerState
from inzwa_rtc.engines.chain import Chain, Link
from inzwa_rtc.engines.contracts import (
    NamingSynthesizer,
    Speaker,
    SpeechChunk,
    SpeechRequest,
    Synthesizer,
    Voice,
)
from inzwa_rtc.engines.first_answer import first_to_answer
from inzwa_rtc.engines.voice_list import VoiceList
from inzwa_rtc.errors import EngineError, EngineUnavailable

Chunk = TypeVar("Chunk")

_MOST_TRUSTED = 1000
"""Voices that nobody listed and that may turn out to be some engine's. They are remembered."""

_log = structlog.get_logger(__name__)


class FallbackSynthesizer:
    """`Synthesizer` over several, named and in the order of preference.

    Its voices are those of all that were ever loaded, its sample rate that of the first of them.
    A voice's own engine is asked first, and for a request without a voice the first engine that
    speaks the language. Another one speaks with its own voice for the language. `first_audio_s`
    is the time that all of them together have for the first sound.
    """

    def __init__(
        self,
        engines: Sequence[tuple[str, Synthesizer]],
        *,
        first_audio_s: float,
        policy: BreakerPolicy | None = None,
    ) -> None:
        self.chain = Chain("tts", engines, first_audio_s, policy)
        self._sample_rate: int | None = None
        # Callers may have these voices for good.
        self._listed: set[str] = set()
        self._trusted: set[str] = set()

    @property
    def sample_rate(self) -> int:
        # Told once, it must hold for good: who plays the audio has asked before it comes.
        if self._sample_rate is None:
            rates = self._told(lambda engine: engine.sample_rate).values()
            self._sample_rate = next((rate for rate in rates if rate is not None), None)
        if self._sample_rate is None:
            raise _nobody_loaded()
        return self._sample_rate

    @property
    def voices(self) -> Sequence[Voice]:
        voices = self._list()
        if voices.nobody_is_known:
            raise _nobody_loaded()
        self._listed.update(voice.id for voice in voices.all)
        return voices.all

    @property
    def knows_all_voices(self) -> bool:
        """Whether every engine was loaded once, so that a voice that is not listed is nobody's."""
        return not self._list().unknown

    @property
    def max_chars(self) -> int | None:
        """The longest text of one request that each of them takes; None for no limit."""
        limits = self._told(lambda engine: getattr(engine, "max_chars", None))
        return min((limit for limit in limits.values() if limit is not None), default=None)

    def states(self) -> dict[str, BreakerState]:
        """How each engine's breaker is."""
        return self.chain.states()

    def speaker(self, voice: str | None, language: str) -> Speaker:
        """The first that is asked, whether it answers or not."""
        voices = self._list()
        first = voices.order(voice, language)[0]
        if (engine := self._naming(first)) is None:
            return Speaker(first)
        return replace(engine.speaker(voices.own_id(first, voice), language), engine=first)

    def model_of(self, engine: str) -> str:
        """The model that this engine of the chain speaks with."""
        named = self._naming(engine)
        return "" if named is None else named.model_of(engine)

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        """Yield the speech of the first engine that begins to speak. Raises `EngineError`, also
        for a voice that was never among `voices`, once those of all engines are known: until
        then it may be one of those that are not."""
        self._accept(request.voice)
        order = self._list().order(request.voice, request.language)
        answer = first_to_answer(self.chain, lambda link: self._spoken(link, request), order)
        async with aclosing(answer) as chunks:
            async for chunk in chunks:
                yield chunk

    def _accept(self, voice: str | None) -> None:
        if voice is None:
            return
        known = {known.id for known in self.voices} | self._listed | self._trusted
        voices = self._list()
        if voice in known or voices.owner(voice):
            return
        if not voices.unknown or len(self._trusted) >= _MOST_TRUSTED:
            raise EngineError(
                "There is no such voice.",
                action="Choose one of those that are listed.",
                code="unknown_voice",
            )
        self._trusted.add(voice)
        # Its name is not told: it is whatever a caller sent.
        _log.warning("engine.voice_not_checked", engines=voices.unknown)

    def _naming(self, name: str) -> NamingSynthesizer | None:
        """The engine of this name, where it tells who speaks."""
        engines = (link.engine for link in self.chain.links if link.name == name)
        return next((one for one in engines if isinstance(one, NamingSynthesizer)), None)

    def _list(self) -> VoiceList:
        return VoiceList(self._told(lambda engine: engine.voices))

    def _told(self, tell: Callable[[Synthesizer], Chunk]) -> dict[str, Chunk | None]:
        """What each engine tells of itself, None for one that was never loaded."""
        told: dict[str, Chunk | None] = {}
        for link in self.chain.links:
            told[link.name] = None
            with suppress(EngineUnavailable):
                told[link.name] = tell(link.engine)
        return told

    async def _spoken(
        self, link: Link[Synthesizer], request: SpeechRequest
    ) -> AsyncGenerator[SpeechChunk, None]:
        """The engine's speech, at the rate that is told. Without a voice that it knows it takes
        its own for the language."""
        engine = link.engine
        request = replace(request, voice=self._list().own_id(link.name, request.voice))
        resampler = Resampler(engine.sample_rate, self.sample_rate)
        async with aclosing(engine.synthesize(request)) as chunks:
            async for chunk in chunks:
                yield replace(chunk, pcm=resampler.feed(chunk.pcm), engine=link.name)
        if rest := resampler.flush():
            yield SpeechChunk(rest, engine=link.name)


def _nobody_loaded() -> EngineUnavailable:
    return EngineUnavailable(
        "No speech engine is loaded yet.", action="Wait until one of them is ready."
    )
