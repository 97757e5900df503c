"""The next piece of a text is asked for while the audio of the last one is taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from inzwa_rtc.engines.contracts import SpeechChunk
from inzwa_rtc.speech.piece import Piece

PIECES = 2  # the one whose audio is taken, and the next
AHEAD_BYTES = (
    1 << 20
)  # of audio, and a chunk: 22 s at 24 kHz, so that a stalled listener costs no more


async def made_ahead(
    pieces: AsyncGenerator[Piece, None], speak: Callable[[Piece], AsyncGenerator[SpeechChunk, None]]
) -> AsyncGenerator[Piece | SpeechChunk, None]:
    """Yield each piece, followed by its audio; the next one begins to be made when the last is
    made, never more than one ahead.

    An error of `speak` is raised behind all that was made before it. Closing this ends what is
    being made.
    """
    store = _Store()
    making = asyncio.create_task(_make(pieces, speak, store))
    making.add_done_callback(lambda _: store.close())
    try:
        while (item := await store.take()) is not None:
            yield item
        await making
    finally:
        making.cancel()
        await asyncio.gather(making, return_exceptions=True)


async def _make(
    pieces: AsyncGenerator[Piece, None],
    speak: Callable[[Piece], AsyncGenerator[SpeechChunk, None]],
    store: _Store,
) -> None:
    async with aclosing(pieces):
        while True:
            await store.may_begin()
            piece = await anext(pieces, None)
            if piece is None:
                return
            store.begin(piece)
            if not piece.text.strip():
                continue
            async with aclosing(speak(piece)) as chunks:
                async for chunk in chunks:
                    await store.add(chunk)


class _Store:
    """What was made and not taken: two pieces at most, and `AHEAD_BYTES` of their audio."""

    def __init__(self) -> None:
        self._items: asyncio.Queue[Piece | SpeechChunk | None] = asyncio.Queue()  # bounded below
        self._places = asyncio.Semaphore(PIECES)
        self._bytes = 0
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._is_first = True

    async def may_begin(self) -> None:
        await self._places.acquire()

    def begin(self, piece: Piece) -> None:
        self._items.put_nowait(piece)

    async def add(self, chunk: SpeechChunk) -> None:
        await self._has_room.wait()
        self._items.put_nowait(chunk)
        self._bytes += len(chunk.pcm)
        if self._bytes >= AHEAD_BYTES:
            self._has_room.clear()

    def close(self) -> None:
        self._items.put_nowait(None)

    async def take(self) -> Piece | SpeechChunk | None:
        item = await self._items.get()
        if isinstance(item, SpeechChunk):
            self._bytes -= len(item.pcm)
            if self._bytes < AHEAD_BYTES:
                self._has_room.set()
        elif isinstance(item, Piece):
            if not self._is_first:
                self._places.release()  # the one before it was taken whole
            self._is_first = False
        return item
