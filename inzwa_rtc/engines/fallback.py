"""The three contracts over several engines: when one fails, the next one answers.

Only before its first token or sound, though: once the caller may have heard something of an
answer, another engine's would not go on where it broke off. A recogniser is heard by nobody
before its final transcript, so that one can be replaced until then; it is given the utterance
from its beginning.

Every engine that may still be asked gets an equal share of the time that is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import TypeVar

import structlog

from inzwa_rtc.audio.resample import Resampler
from inzwa_rtc.engines.breaker import BreakerPolicy, BreakerState
from inzwa_rtc.engines.chain import Chain, Engine, Link, now
from inzwa_rtc.engines.contracts import (
    LanguageModel,
    PreparingLanguageModel,
    Recognizer,
    RecognizeRequest,
    ReplyRequest,
    Speaker,
    SpeechChunk,
    SpeechRequest,
    Synthesizer,
    TokenChunk,
    ToolCall,
    TranscriptChunk,
    Voice,
)
from inzwa_rtc.engines.replay import Replay
from inzwa_rtc.engines.voice_list import VoiceList
from inzwa_rtc.errors import EngineError, EngineTimeout, EngineUnavailable

Chunk = TypeVar("Chunk")

_MOST_ACCEPTED = 1000
"""Voices that are remembered, listed ones and such as may turn out to be some engine's."""

_log = structlog.get_logger(__name__)


class FallbackLanguageModel:
    """`LanguageModel` over several, named and in the order of preference.

    `first_token_s` is the time that all of them together have for the first token.
    """

    def __init__(
        self,
        engines: Sequence[tuple[str, LanguageModel]],
        *,
        first_token_s: float,
        policy: BreakerPolicy | None = None,
    ) -> None:
        self.chain = Chain("llm", engines, first_token_s, policy)

    def states(self) -> dict[str, BreakerState]:
        """How each engine's breaker is."""
        return self.chain.states()

    async def reply(self, request: ReplyRequest) -> AsyncGenerator[TokenChunk | ToolCall, None]:
        """Yield the reply of the first engine that begins one. Raises `EngineError`."""
        answer = _first_to_answer(self.chain, lambda link: link.engine.reply(request))
        async with aclosing(answer) as chunks:
            async for chunk in chunks:
                yield chunk

    async def prepare(self, request: ReplyRequest) -> None:
        """Have the engine that would be asked now read ahead, if it can."""
        for link, _ in self.chain.askable():
            if isinstance(link.engine, PreparingLanguageModel):
                await link.engine.prepare(request)
            return


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
        self._accepted: set[str] = set()  # voices: callers may have them for good

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
        self._accepted.update(voice.id for voice in voices.all)
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
        first = self._list().order(voice, language)[0]
        told = self._told(lambda engine: str(getattr(engine, "fingerprint", "")))
        return Speaker(first, told[first] or "")

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        """Yield the speech of the first engine that begins to speak. Raises `EngineError`, also
        for a voice that was never among `voices`, once those of all engines are known: until
        then it may be one of those that are not."""
        self._accept(request.voice)
        order = self._list().order(request.voice, request.language)
        answer = _first_to_answer(self.chain, lambda link: self._spoken(link, request), order)
        async with aclosing(answer) as chunks:
            async for chunk in chunks:
                yield chunk

    def _accept(self, voice: str | None) -> None:
        if voice is None:
            return
        known = {known.id for known in self.voices} | self._accepted
        voices = self._list()
        if voice in known or voices.owner(voice):
            return
        if not voices.unknown or len(self._accepted) >= _MOST_ACCEPTED:
            raise EngineError(
                "There is no such voice.",
                action="Choose one of those that are listed.",
                code="unknown_voice",
            )
        self._accepted.add(voice)
        _log.warning("engine.voice_not_checked", engines=voices.unknown, voice=voice)

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


class FallbackRecognizer:
    """`Recognizer` over several, named and in the order of preference.

    `final_s` is the time that all of them have for the final transcript, from the end of the
    utterance. `kept_s` of its audio are kept, to be heard again by the next engine; a longer
    utterance stays with the engine that began it.
    """

    def __init__(
        self,
        engines: Sequence[tuple[str, Recognizer]],
        *,
        final_s: float,
        kept_s: float = 120.0,
        policy: BreakerPolicy | None = None,
    ) -> None:
        self.chain = Chain("asr", engines, final_s, policy)
        self._kept_s = kept_s

    def states(self) -> dict[str, BreakerState]:
        """How each engine's breaker is."""
        return self.chain.states()

    async def recognize(
        self, audio: AsyncIterator[bytes], request: RecognizeRequest
    ) -> AsyncGenerator[TranscriptChunk, None]:
        """Yield the transcripts of each engine until one gives a final one.

        Raises `EngineError`, and whatever the audio raises.
        """
        errors: dict[str, EngineError] = {}
        async with Replay(audio, self._kept_s) as replay:
            for link, later in self.chain.askable():
                try:
                    with link.attempt() as attempt:
                        async with aclosing(self._heard(link, request, replay, later)) as chunks:
                            async for chunk in chunks:
                                if chunk.is_final:
                                    attempt.succeeded()
                                else:
                                    attempt.began()  # an utterance may take long to end
                                yield chunk
                                if chunk.is_final:
                                    return
                except EngineError as error:
                    errors[link.name] = error
                    if not replay.rewind():
                        raise
        raise self.chain.nobody(errors)

    async def _heard(
        self, link: Link[Recognizer], request: RecognizeRequest, replay: Replay, later: int
    ) -> AsyncGenerator[TranscriptChunk, None]:
        """What one engine hears, its share of the time counted from when it has all audio."""
        began = now()

        def limit_of(ended_at: float) -> float:
            start = max(began, ended_at)
            return start + max(0.0, ended_at + self.chain.answer_s - start) / (1 + later)

        async with aclosing(link.engine.recognize(replay.pieces(), request)) as chunks:
            while chunk := await _next(link.name, chunks, replay, limit_of):
                yield chunk
        raise EngineError(f"`{link.name}` ended without a final transcript.")


async def _next(
    name: str,
    chunks: AsyncGenerator[TranscriptChunk, None],
    replay: Replay,
    limit_of: Callable[[float], float],
) -> TranscriptChunk | None:
    """The next transcript. Its time is limited once all audio has come, by `limit_of` when."""
    try:
        async with asyncio.timeout(None) as limit:
            replay.when_ended(lambda ended_at: limit.reschedule(limit_of(ended_at)))
            return await anext(chunks, None)
    except TimeoutError:
        raise EngineTimeout(f"`{name}` gave no transcript in time.") from None
    finally:
        replay.when_ended(None)


def _nobody_loaded() -> EngineUnavailable:
    return EngineUnavailable(
        "No speech engine is loaded yet.", action="Wait until one of them is ready."
    )


async def _first_to_answer(
    chain: Chain[Engine],
    ask: Callable[[Link[Engine]], AsyncGenerator[Chunk, None]],
    order: Sequence[str] | None = None,
) -> AsyncGenerator[Chunk, None]:
    """The answer of the first engine that begins one, its first part within the chain's time."""
    errors: dict[str, EngineError] = {}
    limit = now() + chain.answer_s
    for link, later in chain.askable(order):
        has_begun = False
        try:
            with link.attempt() as attempt:
                async with aclosing(ask(link)) as chunks:
                    share_s = max(0.0, limit - now()) / (1 + later)
                    chunk = await _first(link.name, chunks, share_s)
                    has_begun = True
                    attempt.succeeded()
                    while chunk is not None:
                        yield chunk
                        chunk = await anext(chunks, None)
                    return
        except EngineError as error:
            if has_begun:
                raise
            errors[link.name] = error
    raise chain.nobody(errors)


async def _first(name: str, chunks: AsyncGenerator[Chunk, None], within_s: float) -> Chunk | None:
    try:
        async with asyncio.timeout(within_s):
            return await anext(chunks, None)
    except TimeoutError:
        raise EngineTimeout(f"`{name}` did not begin to answer within {within_s:.1f} s.") from None
