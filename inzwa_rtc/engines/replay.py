"""An utterance's audio that can be heard again from its beginning."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from types import TracebackType
from typing import Self

from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE
from inzwa_rtc.errors import EngineError

_BYTES_PER_S = 2 * ASR_SAMPLE_RATE


class Replay:
    """Reads the audio as it comes, within `async with`, and keeps `kept_s` seconds of it.

    Of a longer utterance the beginning is let go, once the one who listens has heard it.
    """

    def __init__(self, audio: AsyncIterator[bytes], kept_s: float) -> None:
        self.ended_at: float | None = None
        """When the audio ended, on the loop's clock."""
        self._audio = audio
        self._limit = int(kept_s * _BYTES_PER_S)
        self._kept: deque[bytes] = deque()
        self._size = 0
        self._let_go = 0  # pieces, from the first on
        self._heard = 0  # pieces, by whoever listens now
        self._changed = asyncio.Event()
        self._on_end: Callable[[float], None] | None = None
        self._reading: asyncio.Task[None] | None = None

    def rewind(self) -> bool:
        """Keep all audio for the next one who listens, from now on. False: the beginning has
        been let go already."""
        self._heard = 0
        return self._let_go == 0

    def when_ended(self, call: Callable[[float], None] | None) -> None:
        """Call it with the time when the audio ends, at once if it has; None calls nobody."""
        self._on_end = call
        if call is not None and self.ended_at is not None:
            call(self.ended_at)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The audio from its beginning. Raises what the audio itself raised, and `EngineError`
        where the beginning is gone."""
        if not self.rewind():
            raise EngineError(
                "The utterance is too long to be heard once more.",
                action="Lower `turn.max_utterance_ms`.",
            )
        assert self._reading is not None, "use it within `async with`"
        position = 0
        while True:
            while position - self._let_go == len(self._kept) and not self._reading.done():
                self._changed.clear()
                await self._changed.wait()
            if position - self._let_go == len(self._kept):
                self._reading.result()
                return
            piece = self._kept[position - self._let_go]
            position += 1
            self._heard = position
            self._changed.set()
            yield piece

    async def __aenter__(self) -> Self:
        self._reading = asyncio.create_task(self._read())
        self._reading.add_done_callback(lambda _: self._changed.set())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._reading is not None
        self._reading.cancel()
        await asyncio.wait({self._reading})
        if not self._reading.cancelled():
            self._reading.exception()  # it was for whoever listened

    async def _read(self) -> None:
        async for piece in self._audio:
            self._kept.append(piece)
            self._size += len(piece)
            self._changed.set()
            while self._size > self._limit:
                await self._let_one_go()
        self.ended_at = asyncio.get_running_loop().time()
        if self._on_end is not None:
            self._on_end(self.ended_at)

    async def _let_one_go(self) -> None:
        while self._heard == self._let_go:
            self._changed.clear()
            await self._changed.wait()
        self._size -= len(self._kept.popleft())
        self._let_go += 1
