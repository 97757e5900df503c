"""The caller's audio and commands on their way from the network to the conversation."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Generic, TypeVar

from inzwa_rtc.audio.frame import FRAME_MS, Frame, frame_bytes
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE

C = TypeVar("C")

MAX_FRAMES = 500  # 10 s: a listener that far behind is better off without the oldest
FRAMES_PER_S = 1.25 * 1000 / FRAME_MS  # a device's clock may run fast, but not by a quarter
FRAMES_AT_ONCE = 5  # then other calls have their turn
MAX_COMMANDS = 64  # far more than a person can press
GAP_S = 0.1  # after so long without audio, silence stands in for it
GAP_FRAMES = round(GAP_S * 1000 / FRAME_MS)
FRAME_COVERS_S = 1.25 * FRAME_MS / 1000  # nor slow by a quarter: slower audio has gaps


class CommandsOverflowError(Exception):
    """The client sends commands faster than the conversation takes them."""


class Inbox(Generic[C]):
    """Written by a transport's callbacks, read by one conversation.

    Only audio is ever dropped, and counted: the oldest when too much waits, and what
    comes faster than real time once a stalled connection's 10 s are made up for. Where
    audio is missing, whatever else arrives, silence is made in its place, so that time
    inside the call goes on and a turn can end. `C` is the type of commands; `clock` is
    monotonic, in seconds. A transport that stands in for missing audio by itself sets `gap_s`
    to longer than it ever waits; silence is then made here only before its first packet.
    """

    def __init__(self, clock: Callable[[], float] | None = None, *, gap_s: float = GAP_S) -> None:
        self.dropped_frames = 0
        self._gap_s = gap_s
        self._gap_frames = round(gap_s * 1000 / FRAME_MS)
        self._clock = clock or asyncio.get_running_loop().time
        self._allowed_frames = float(MAX_FRAMES)
        self._refilled_at = self._covered_until = self._clock()
        self._frame_bytes = frame_bytes(ASR_SAMPLE_RATE)
        self._silence = bytes(self._frame_bytes)
        self._partial = bytearray()
        self._items: deque[bytes | C] = deque()
        self._frames_waiting = 0
        self._commands_waiting = 0
        self._index = 0
        self._changed = asyncio.Event()
        self._closed = False

    @property
    def waiting_frames(self) -> int:
        """Frames that were not taken yet."""
        return self._frames_waiting

    def put_audio(self, pcm: bytes) -> None:
        """Add audio: int16 LE mono 16 kHz, any whole number of samples."""
        self._partial += pcm
        size = self._frame_bytes
        now = self._clock()
        while len(self._partial) >= size:
            frame = bytes(self._partial[:size])
            del self._partial[:size]
            self._covered_until = min(now, self._covered_until + FRAME_COVERS_S)
            if not self._is_allowed(now):
                self.dropped_frames += 1
                continue
            self._items.append(frame)
            self._frames_waiting += 1
        while self._frames_waiting > MAX_FRAMES:
            self._drop_oldest_frame()
        self._changed.set()

    def put_command(self, command: C) -> None:
        """Add a command. Raises `CommandsOverflowError`; the transport then disconnects."""
        if self._commands_waiting >= MAX_COMMANDS:
            raise CommandsOverflowError
        self._items.append(command)
        self._commands_waiting += 1
        self._changed.set()

    def close(self) -> None:
        """Nothing more comes; what waits is still delivered."""
        self._closed = True
        self._changed.set()

    async def receive(self) -> AsyncGenerator[Frame | C, None]:
        """All items in order, silence for missing audio; ends after `close`."""
        self._covered_until = self._clock()  # nothing is missing from before the call
        at_once = 0
        while self._items or not self._closed:
            now = self._clock()
            gap_s = now - self._covered_until
            if gap_s >= self._gap_s and not self._frames_waiting:
                # More than that is the server's own stall: the audio of it is on its way.
                late_s = min(gap_s - self._gap_s, self._gap_s - FRAME_MS / 1000)
                self._covered_until = now - late_s
                for _ in range(self._gap_frames):
                    yield self._frame(self._silence)
            elif self._items:
                at_once += 1
                if at_once % FRAMES_AT_ONCE == 0:
                    await asyncio.sleep(0)
                yield self._next_item()
            else:
                self._changed.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._gap_s - gap_s):
                        await self._changed.wait()

    def _next_item(self) -> Frame | C:
        item = self._items.popleft()
        if isinstance(item, bytes):
            self._frames_waiting -= 1
            return self._frame(item)
        self._commands_waiting -= 1
        return item

    def _is_allowed(self, now: float) -> bool:
        refill = (now - self._refilled_at) * FRAMES_PER_S
        self._refilled_at = now
        self._allowed_frames = min(MAX_FRAMES, self._allowed_frames + refill)
        if self._allowed_frames < 1:
            return False
        self._allowed_frames -= 1
        return True

    def _frame(self, pcm: bytes) -> Frame:
        frame = Frame(pcm, ASR_SAMPLE_RATE, self._index)
        self._index += frame.samples
        return frame

    def _drop_oldest_frame(self) -> None:
        for position, item in enumerate(self._items):
            if isinstance(item, bytes):
                del self._items[position]
                self._frames_waiting -= 1
                self.dropped_frames += 1
                return
