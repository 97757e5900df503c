"""Contracts over several engines: when one fails, the next one answers.

Only before its first token or sound, though: once the caller may have heard something of an
answer, another engine's would not go on where it broke off. A recogniser is heard by nobody
before its final transcript, so that one can be replaced until then; it is given the utterance
from its beginning.

Every engine that may still be asked gets an equal share of the time that is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import TypeVar

import structlog

from inzwa_rtc.engines.breaker import BreakerPolicy, BreakerState
from inzwa_rtc.engines.chain import Chain, Link, now
from inzwa_rtc.engines.contracts import (
    LanguageKnowingRecognizer,
    LanguageModel,
    PreparingLanguageModel,
    Recognizer,
    RecognizeRequest,
    ReplyRequest,
    TokenChunk,
    ToolCall,
    TranscriptChunk,
    takes_tools,
)
from inzwa_rtc.engines.first_answer import first_to_answer
from inzwa_rtc.engines.replay import Replay
from inzwa_rtc.errors import EngineError, EngineTimeout

Chunk = TypeVar("Chunk")

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

    @property
    def takes_tools(self) -> bool:
        """Whether one that may be asked does; the others are asked without."""
        return any(takes_tools(link.engine) for link, _ in self.chain.askable())

    async def reply(self, request: ReplyRequest) -> AsyncGenerator[TokenChunk | ToolCall, None]:
        """Yield the reply of the first engine that begins one. Raises `EngineError`."""
        answer = first_to_answer(self.chain, lambda link: link.engine.reply(request))
        async with aclosing(answer) as chunks:
            async for chunk in chunks:
                yield chunk

    async def prepare(self, request: ReplyRequest) -> None:
        """Have the engine that would be asked now read ahead, if it can."""
        for link, _ in self.chain.askable():
            if isinstance(link.engine, PreparingLanguageModel):
                await link.engine.prepare(request)
            return


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

    @property
    def languages(self) -> Sequence[str]:
        """As in `LanguageKnowingRecognizer`: those of any of them, none if one does not know."""
        known: dict[str, None] = {}
        for link in self.chain.links:
            engine = link.engine
            own = engine.languages if isinstance(engine, LanguageKnowingRecognizer) else ()
            if not own:
                return ()
            known.update(dict.fromkeys(own))
        return tuple(known)

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
