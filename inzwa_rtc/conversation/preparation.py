"""Has the reply engine read ahead while the caller still speaks.

A model reads a prompt token by token before it can answer. What was said so far, and the
words that the recogniser hardly takes back, it can read while there is time.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import NoReturn

from inzwa_rtc.conversation.dialogue import Dialogue
from inzwa_rtc.conversation.engines import EngineSource
from inzwa_rtc.conversation.shedding import Shedding
from inzwa_rtc.engines.contracts import PreparingLanguageModel, TranscriptChunk
from inzwa_rtc.errors import EngineError


class Preparation:
    """Tell it what the caller does; `run` it beside the conversation.

    One reading at a time; of what came meanwhile only the newest is read next. The reply
    does not wait for it: the engine itself lets a reading go for the reply to its dialogue.
    Nothing is read while the machine is too busy, and no words that are refused. A reading may
    take `limit_s` seconds.
    """

    def __init__(
        self, engines: EngineSource, dialogue: Dialogue, shedding: Shedding, limit_s: float
    ) -> None:
        self._engines = engines
        self._dialogue = dialogue
        self._shedding = shedding
        self._limit_s = limit_s
        self._reading: asyncio.Task[None] | None = None
        self._words = ""  # the call has begun: the instructions can be read
        self._changed = asyncio.Event()
        self._changed.set()

    def heard(self, chunk: TranscriptChunk) -> None:
        """Words of an utterance that goes on."""
        words = chunk.text[: chunk.stable]
        if words and not chunk.is_final and words != self._words:
            self._words = words
            self._changed.set()

    def begin_anew(self) -> None:
        """Another engine replies from now on, which has read nothing yet."""
        if self._reading is not None:
            self._reading.cancel()
        self._changed.set()

    async def run(self) -> NoReturn:
        """Never returns."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if not self._shedding.reads_ahead:
                continue
            self._reading = reading = asyncio.create_task(self._read())
            try:
                await asyncio.wait({reading})
            finally:
                reading.cancel()
                await asyncio.wait({reading})
            if not reading.cancelled():
                reading.result()

    async def _read(self) -> None:
        dialogue = self._dialogue
        with self._engines.lent() as engines:
            words = dialogue.unanswered(self._words)
            verdict = await asyncio.to_thread(engines.safety.check, words, dialogue.language)
            if not verdict.is_allowed:
                return  # the turn will say so
            if isinstance(engines.llm, PreparingLanguageModel):
                request = dialogue.request(engines.settings, self._words)
                # Only time is lost; the reply will tell.
                with suppress(EngineError, TimeoutError):
                    async with asyncio.timeout(self._limit_s):
                        await engines.llm.prepare(request)
