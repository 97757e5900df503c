"""A synthesizer as requests use it, beside the calls that have it too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing

from inzwa_rtc.conversation.stages import next_within
from inzwa_rtc.engines.contracts import (
    LimitedSynthesizer,
    NamingSynthesizer,
    Speaker,
    SpeechChunk,
    SpeechRequest,
    Synthesizer,
    Voice,
)
from inzwa_rtc.settings import TimeoutSettings


class SharedSynthesizer:
    """Speaks one piece of text at a time for each of `turns`, and each within the time limits of
    calls. While somebody does not take what was made, nobody else waits for it. `admitted` is
    awaited before each piece: what was kept needs no admission."""

    def __init__(
        self,
        synthesizer: Synthesizer,
        turns: asyncio.Semaphore,
        timeouts: TimeoutSettings,
        admitted: Callable[[], Awaitable[None]],
    ) -> None:
        self._synthesizer = synthesizer
        self._turns = turns
        self._timeouts = timeouts
        self._admitted = admitted
        self.sample_rate = synthesizer.sample_rate

    @property
    def voices(self) -> Sequence[Voice]:
        """As in `Synthesizer`."""
        return self._synthesizer.voices

    @property
    def max_chars(self) -> int | None:
        """As in `LimitedSynthesizer`."""
        synthesizer = self._synthesizer
        return synthesizer.max_chars if isinstance(synthesizer, LimitedSynthesizer) else None

    def speaker(self, voice: str | None, language: str) -> Speaker:
        """As in `NamingSynthesizer`."""
        if isinstance(self._synthesizer, NamingSynthesizer):
            return self._synthesizer.speaker(voice, language)
        return Speaker("")

    def model_of(self, engine: str) -> str:
        """As in `NamingSynthesizer`."""
        if isinstance(self._synthesizer, NamingSynthesizer):
            return self._synthesizer.model_of(engine)
        return ""

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        """As in `Synthesizer`."""
        await self._admitted()
        limit = self._timeouts.first_audio
        async with aclosing(self._synthesizer.synthesize(request)) as chunks:
            while True:
                async with self._turns:
                    chunk = await next_within(chunks, limit, "The speech engine")
                if chunk is None:
                    return
                limit = self._timeouts.next_audio
                yield chunk
