"""The thread in which a library speaks, one clause after another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from inzwa_rtc.engines.contracts import SpeechChunk
from inzwa_rtc.engines.tts.apart.text import speakable
from inzwa_rtc.engines.tts.clauses import clauses
from inzwa_rtc.engines.tts.stretch import stretched
from inzwa_rtc.errors import EngineError

Samples: TypeAlias = NDArray[np.float32]
"""Mono sound; full scale is -1 to 1."""

Wanted: TypeAlias = Callable[[], bool]
"""Tells a synthesis, in its thread, whether its sound is still wanted."""

Utter: TypeAlias = Callable[[str, Wanted], Generator[Samples, None, None]]
"""Makes the sound of one clause, in pieces where the model can. Runs in the thread. It may stop
with any piece, or with `Unwanted`, once nobody waits."""

_FIRST_S = 0.1
_CHUNK_S = 1.0


class Unwanted(Exception):
    """Nobody waits for the sound any more."""


class Mouth:
    """Speaks in one thread, as these libraries keep one state for each model.

    The thread's queue is the fair order of clauses: a request's next one is asked for when
    its last was consumed, so that a long text keeps a short one waiting for a clause at most.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="speech")
        self._closing = threading.Event()

    def close(self) -> None:
        """Stop what is spoken as soon as the library allows, and wait for that."""
        self._closing.set()
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def speak(
        self, text: str, utter: Utter, rate: int, *, limit: int, tempo: float = 1.0
    ) -> AsyncGenerator[SpeechChunk, None]:
        """Yield the text's sound as it is made, in clauses of at most `limit` characters, at
        `tempo` times the pace that `utter` makes it at. Raises `EngineError` when it is closed
        before the text is spoken."""
        async with aclosing(
            stretched(self._sound(text, utter, rate, limit), rate, tempo)
        ) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _sound(
        self, text: str, utter: Utter, rate: int, limit: int
    ) -> AsyncGenerator[SpeechChunk, None]:
        is_first = True
        for clause in clauses(speakable(text), limit):
            if not (said := speakable(clause.text)):
                continue
            async with aclosing(self._pieces(partial(utter, said))) as pieces:
                async for piece in pieces:
                    for pcm in _cut(piece, rate, _FIRST_S if is_first else _CHUNK_S):
                        yield SpeechChunk(pcm)
                    is_first = False

    async def _pieces(
        self, utter: Callable[[Wanted], Generator[Samples, None, None]]
    ) -> AsyncGenerator[Samples, None]:
        loop = asyncio.get_running_loop()
        # Holds one clause's sound at most.
        made: asyncio.Queue[Samples | None] = asyncio.Queue()
        dropped = threading.Event()
        whole = threading.Event()

        def is_wanted() -> bool:
            return not (dropped.is_set() or self._closing.is_set())

        def work() -> None:
            if not is_wanted():
                return
            try:
                with closing(utter(is_wanted)) as pieces:
                    for piece in pieces:
                        if not is_wanted():
                            return
                        loop.call_soon_threadsafe(made.put_nowait, piece)
            except Unwanted:
                return
            whole.set()

        try:
            speaking = loop.run_in_executor(self._thread, work)
        except RuntimeError:  # the thread was shut down
            raise _closed() from None
        speaking.add_done_callback(lambda _: made.put_nowait(None))
        try:
            while (piece := await made.get()) is not None:
                yield piece
            if not speaking.cancelled():  # as it is when it had not begun
                await speaking
            if not whole.is_set():
                raise _closed()
        finally:
            dropped.set()
            speaking.cancel()


def _closed() -> EngineError:
    return EngineError("The voice was closed while it had text to speak.")


def _cut(samples: Samples, rate: int, first_s: float) -> Iterator[bytes]:
    """int16 sound in pieces of a second; the first one may be shorter, so that it leaves soon."""
    sound = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
    pcm = (np.clip(sound, -1.0, 1.0) * 32767).astype("<i2")
    start, length = 0, max(1, int(first_s * rate))
    while start < len(pcm):
        yield pcm[start : start + length].tobytes()
        start += length
        length = int(_CHUNK_S * rate)
