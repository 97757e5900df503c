"""The caller's audio of one turn on its way to the recogniser, and what came of it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

from inzwa_rtc.audio.frame import BYTES_PER_SAMPLE
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE, TranscriptChunk
from inzwa_rtc.errors import EngineError


class Utterance:
    """Written by the listener, which never waits; read by one recogniser.

    At most `limit_s` of audio waits. Beyond that the oldest goes, counted in
    `dropped_samples`: a recogniser that lags must not hold up the call. `is_cut` tells, once
    the turn has ended, that it had become too long: the caller may speak on, in another turn.
    """

    def __init__(self, turn: int, start_index: int, pcm: bytes, limit_s: float) -> None:
        self.turn = turn
        self.start_ms = start_index * 1000 // ASR_SAMPLE_RATE
        self.silence_ms = 0
        self.is_cut = False
        self.ended_at = 0.0  # on the loop's clock
        self.dropped_samples = 0
        self._limit_bytes = int(limit_s * ASR_SAMPLE_RATE) * BYTES_PER_SAMPLE
        self._pieces: deque[bytes] = deque([pcm] if pcm else [])
        self._waiting_bytes = self._all_bytes = len(pcm)
        self._changed = asyncio.Event()
        self._ended = asyncio.Event()
        self._on_end: Callable[[], None] = lambda: None
        self._outcome: TranscriptChunk | EngineError | None = None
        self._recognised = asyncio.Event()

    @property
    def duration_s(self) -> float:
        """Length of its audio so far."""
        return self._all_bytes / BYTES_PER_SAMPLE / ASR_SAMPLE_RATE

    @property
    def waiting_s(self) -> float:
        """How much of it the recogniser has not taken."""
        return self._waiting_bytes / BYTES_PER_SAMPLE / ASR_SAMPLE_RATE

    @property
    def has_ended(self) -> bool:
        """Whether the turn has."""
        return self._ended.is_set()

    def feed(self, pcm: bytes) -> None:
        """Append audio (int16 LE mono 16 kHz)."""
        self._pieces.append(pcm)
        self._waiting_bytes += len(pcm)
        self._all_bytes += len(pcm)
        while self._waiting_bytes > self._limit_bytes and len(self._pieces) > 1:
            dropped = len(self._pieces.popleft())
            self._waiting_bytes -= dropped
            self.dropped_samples += dropped // BYTES_PER_SAMPLE
        self._changed.set()

    def end(self, silence_ms: int) -> None:
        """The turn has ended, at last with `silence_ms` without voice."""
        self.silence_ms = silence_ms
        self.ended_at = asyncio.get_running_loop().time()
        self._ended.set()
        self._changed.set()
        self._on_end()

    async def ended(self) -> None:
        """Return once the turn has ended."""
        await self._ended.wait()

    def when_ended(self, call: Callable[[], None]) -> None:
        """Call it when the turn ends, at once if it has."""
        self._on_end = call
        if self._ended.is_set():
            call()

    async def audio(self) -> AsyncIterator[bytes]:
        """The audio as it comes; ends with the turn."""
        while True:
            if self._pieces:
                piece = b"".join(self._pieces)
                self._pieces.clear()
                self._waiting_bytes = 0
                yield piece
            elif self._ended.is_set():
                return
            else:
                self._changed.clear()
                await self._changed.wait()

    def settle(self, outcome: TranscriptChunk | EngineError) -> None:
        """The recogniser's last word on it."""
        self._outcome = outcome
        self._recognised.set()

    async def words(self) -> TranscriptChunk:
        """The final transcript. Raises the recogniser's `EngineError`."""
        await self._recognised.wait()
        if isinstance(self._outcome, TranscriptChunk):
            return self._outcome
        raise self._outcome or EngineError("The utterance was not recognised.")
