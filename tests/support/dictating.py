"""Somebody who dictates, to engines and a voice detector that the test steers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from inzwa_rtc.conversation.dictation import Dictation, Told
from inzwa_rtc.events import EndReason
from inzwa_rtc.settings import Settings
from tests.support.listening import Steered

BYTES_PER_MS = 32


def loud(ms: int) -> bytes:
    """What `Steered` takes for speech."""
    return b"\x00\x10" * (ms * BYTES_PER_MS // 2)


def silence(ms: int) -> bytes:
    return bytes(ms * BYTES_PER_MS)


@dataclass
class Dictating:
    """A dictation under test, and what it has told."""

    dictation: Dictation
    told: list[Told] = field(default_factory=list)
    running: asyncio.Task[EndReason] = field(init=False)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def say(self, ms: int = 600, then_ms: int = 520) -> None:
        """An utterance, and a pause behind it."""
        self.dictation.feed(loud(ms) + silence(then_ms))

    async def until_told(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.told) < count:
                self.changed.clear()
                await self.changed.wait()

    async def ended(self) -> EndReason:
        async with asyncio.timeout(20):
            return await self.running

    def tell(self, told: Told) -> None:
        self.told.append(told)
        self.changed.set()


@asynccontextmanager
async def dictating(asr: Any, **settings: Any) -> AsyncIterator[Dictating]:
    """A dictation that runs while the block does."""
    all_settings = Settings(**settings)

    class Source:
        @contextmanager
        def lent(self) -> Iterator[Any]:
            yield SimpleNamespace(asr=asr, settings=all_settings)

    told: list[Told] = []
    source: Any = Source()
    one = Dictating(Dictation(source, Steered(), all_settings, lambda it: one.tell(it)), told)
    one.running = asyncio.create_task(one.dictation.run())
    try:
        yield one
    finally:
        one.running.cancel()
        await asyncio.gather(one.running, return_exceptions=True)
