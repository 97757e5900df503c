"""A caller who speaks as a test says, and a decoder of whole stretches of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import numpy as np

from inzwa_rtc.engines.asr.decoding import Decoded, Stretch
from inzwa_rtc.engines.contracts import HeardWord, TranscriptChunk

GUARD_S = 20.0


def voice(ms: int) -> bytes:
    return np.tile(np.array([8000, -8000], np.int16), ms * 8).tobytes()


def silence(ms: int) -> bytes:
    return bytes(ms * 32)


class Counter:
    """Understands a stretch as the numbers of its voiced 100 ms, and remembers the stretches."""

    def __init__(self) -> None:
        self.stretches: list[Stretch] = []
        self.may_end = threading.Event()
        self.may_end.set()

    def __call__(self, stretch: Stretch) -> Decoded:
        self.stretches.append(stretch)
        assert self.may_end.wait(GUARD_S)
        levels = np.abs(stretch.audio[: len(stretch.audio) // 1600 * 1600]).reshape(-1, 1600)
        words = tuple(
            HeardWord(f"w{number}", number * 100, number * 100 + 100, 0.9)
            for number, level in enumerate(levels.mean(axis=1))
            if level > 0.1
        )
        return Decoded(" ".join(word.text for word in words), "en", 0.9, words)


class Caller:
    """Speaks piece by piece, as the test says."""

    def __init__(self) -> None:
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue()

    @property
    def left(self) -> int:
        """Pieces, and the end, that nobody has taken yet."""
        return self._pieces.qsize()

    def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            self._pieces.put_nowait(piece)

    def end(self) -> None:
        self._pieces.put_nowait(None)

    async def audio(self) -> AsyncGenerator[bytes, None]:
        while (piece := await self._pieces.get()) is not None:
            yield piece


class Failing(Counter):
    """Fails so many times first; `failed` once it has."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self._left = times
        self.failed = threading.Event()

    def __call__(self, stretch: Stretch) -> Decoded:
        decoded = super().__call__(stretch)
        if self._left:
            self._left -= 1
            self.failed.set()
            raise MemoryError
        return decoded


async def all_of(stream: AsyncGenerator[TranscriptChunk, None]) -> list[TranscriptChunk]:
    async with asyncio.timeout(GUARD_S), aclosing(stream):
        return [chunk async for chunk in stream]


async def next_of(stream: AsyncGenerator[TranscriptChunk, None]) -> TranscriptChunk:
    async with asyncio.timeout(GUARD_S):
        return await anext(stream)


async def until(condition: Callable[[], bool]) -> None:
    """Threads tell the loop nothing of themselves: let it turn until it is so."""
    async with asyncio.timeout(GUARD_S):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)
