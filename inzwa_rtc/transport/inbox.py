"""The caller's audio and commands on their way from the network to the conversation."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Generic, NamedTuple, Protocol, TypeVar

import structlog

from inzwa_rtc.audio.frame import FRAME_MS, Frame, frame_bytes
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE, Haste, SharedVoiceDetector

C = TypeVar("C")

log = structlog.get_logger(__name__)

MAX_FRAMES = 500  # 10 s: a listener that far behind is better off without the oldest
FRAMES_PER_S = 1.25 * 1000 / FRAME_MS  # a device's clock may run fast, but not by a quarter
MAX_COMMANDS = 64  # far more than a person can press
GAP_S = 0.1  # after so long without audio, silence stands in for it
FRAME_COVERS_S = 1.25 * FRAME_MS / 1000  # nor slow by a quarter: slower audio has gaps


class CommandsOverflowError(Exception):
    """The client sends commands faster than the conversation takes them."""


class _Heard(NamedTuple):
    """A frame that was listened to."""

    pcm: bytes
    speech: float


class Source(Protocol):
    """Whoever has audio that nobody has wanted yet. `now` is in seconds, monotonic."""

    def fetch(self, now: float) -> None:
        """Put it where it is listened to."""
        ...

    def is_silent(self, now: float) -> bool:
        """Whether all of it is silence, as far as can be told without putting it there."""
        ...


class Inbox(Generic[C]):
    """Written by a transport's callbacks, listened to by a voice detector (it is a
    `Microphone`), read by one conversation.

    Only audio is ever dropped, and counted: the oldest when too much waits, and what
    comes faster than real time once a stalled connection's 10 s are made up for. Where
    audio is missing, whatever else arrives, silence is made in its place, so that time
    inside the call goes on and a turn can end. Commands keep their place between the frames.
    `C` is the type of commands; `clock` is monotonic, in seconds, and the one of the detector's
    ticks. A transport that stands in for missing audio by itself sets `gap_s` to longer than it
    ever waits; silence is then made here only before its first packet. One that has audio
    to read or decode is its `source`, and puts it here when it is asked to.
    """

    def __init__(
        self,
        detector: SharedVoiceDetector,
        clock: Callable[[], float] | None = None,
        *,
        gap_s: float = GAP_S,
    ) -> None:
        self.dropped_frames = 0
        self.wanted = Haste.EACH_FRAME
        """How soon the conversation wants to hear what is said."""
        self.source: Source | None = None
        """Where audio is to be fetched from, if it does not come by itself."""
        self._has_gaps = self._is_behind = False
        self._detector = detector
        self._gap_s = gap_s
        self._gap_frames = round(gap_s * 1000 / FRAME_MS)
        self._clock = clock or asyncio.get_running_loop().time
        self._allowed_frames = float(MAX_FRAMES)
        self._refilled_at = self._covered_until = self._clock()
        self._frame_bytes = frame_bytes(ASR_SAMPLE_RATE)
        self._silence = bytes(self._frame_bytes)
        self._partial = bytearray()
        self._arrived: deque[bytes | C] = deque()  # nobody has listened to it yet
        self._taken: deque[bytes | C] = deque()  # is being listened to; begins with a frame
        self._items: deque[_Heard | C] = deque()  # to be received
        self._frames_waiting = 0  # in all three
        self._commands_waiting = 0
        self._index = 0
        self._changed = asyncio.Event()
        self._closed = False
        self._error: Exception | None = None

    @property
    def waiting_frames(self) -> int:
        """Frames that were not received yet."""
        return self._frames_waiting

    @property
    def haste(self) -> Haste:
        """As in `Microphone`. Commands do not wait, nor does the silence that is to be made, and
        what was left at the last look is made up for. Where audio comes by itself, in pieces of any
        length, a look must not find more than one gap."""
        if self._commands_waiting or self._closed or self._is_behind:
            return Haste.EACH_FRAME
        if self._has_gaps and self.wanted is not Haste.EACH_FRAME:
            return Haste.EACH_WINDOW
        if self.source is None and self.wanted is Haste.IN_TIME:
            return Haste.SOON
        return self.wanted

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
            self._arrived.append(frame)
            self._frames_waiting += 1
        while self._frames_waiting > MAX_FRAMES:
            self._drop_oldest_frame()

    def put_command(self, command: C) -> None:
        """Add a command. Raises `CommandsOverflowError`; the transport then disconnects."""
        if self._commands_waiting >= MAX_COMMANDS:
            raise CommandsOverflowError
        self._commands_waiting += 1
        self._fetch(self._clock())  # what was said before it
        if self._arrived:
            self._arrived.append(command)
        else:
            self._items.append(command)
            self._changed.set()

    def close(self) -> None:
        """Nothing more comes; what waits is still delivered."""
        if self._closed:
            return
        self._closed = True
        self._changed.set()
        try:
            self._fetch(self._clock())
        except Exception:  # whatever is wrong with it, it ends
            log.exception("inbox.not_fetched")
        self.source = None

    def is_silent(self, now: float) -> bool:
        """As in `Microphone`."""
        return not self._arrived and self.source is not None and self.source.is_silent(now)

    def take(self, most: int, now: float) -> list[bytes]:
        """As in `Microphone`; silence for missing audio."""
        self._fetch(now)
        frames = self._taken_frames(most)
        if frames:
            self._has_gaps = False
        if self._frames_waiting == len(frames) and self._fill_gap(now):
            self._has_gaps = True
            frames += self._taken_frames(most - len(frames))
        self._is_behind = bool(self._arrived)
        return frames

    def give(self, pcm: bytes, speech: float) -> None:
        """As in `Microphone`."""
        self._taken.popleft()
        self._items.append(_Heard(pcm, speech))
        while self._taken and not isinstance(command := self._taken[0], bytes):
            self._items.append(command)
            self._taken.popleft()
        self._changed.set()

    def give_up(self, error: Exception) -> None:
        """As in `Microphone`: `receive` raises it."""
        self._error = error
        self._changed.set()

    async def receive(self) -> AsyncGenerator[Frame | C, None]:
        """All items in order, as the detector has heard them; ends after `close`."""
        self._covered_until = self._clock()  # nothing is missing from before the call
        with self._detector.listening(self):
            while self._error is None:
                if self._items:
                    yield self._next_item()
                elif self._closed and not self._arrived:
                    return
                else:
                    self._changed.clear()
                    await self._changed.wait()
            raise self._error

    def _fetch(self, now: float) -> None:
        if self.source is not None:
            self.source.fetch(now)

    def _next_item(self) -> Frame | C:
        item = self._items.popleft()
        if isinstance(item, _Heard):
            self._frames_waiting -= 1
            frame = Frame(item.pcm, ASR_SAMPLE_RATE, self._index, item.speech)
            self._index += frame.samples
            return frame
        self._commands_waiting -= 1
        return item

    def _taken_frames(self, most: int) -> list[bytes]:
        frames: list[bytes] = []
        while self._arrived:
            item = self._arrived[0]
            if isinstance(item, bytes):
                if len(frames) == most:
                    break
                frames.append(item)
                self._taken.append(item)
            elif self._taken:
                self._taken.append(item)
            else:
                self._items.append(item)
                self._changed.set()
            del self._arrived[0]
        return frames

    def _fill_gap(self, now: float) -> bool:
        """Whether audio was missing: then silence has come in its place."""
        gap_s = now - self._covered_until
        if gap_s < self._gap_s or self._closed:
            return False
        # More than that is the server's own stall: the audio of it is on its way.
        self._covered_until = now - min(gap_s - self._gap_s, self._gap_s - FRAME_MS / 1000)
        self._arrived.extend([self._silence] * self._gap_frames)
        self._frames_waiting += self._gap_frames
        return True

    def _is_allowed(self, now: float) -> bool:
        refill = (now - self._refilled_at) * FRAMES_PER_S
        self._refilled_at = now
        self._allowed_frames = min(MAX_FRAMES, self._allowed_frames + refill)
        if self._allowed_frames < 1:
            return False
        self._allowed_frames -= 1
        return True

    def _drop_oldest_frame(self) -> None:
        for queue in (self._items, self._arrived):
            for position, item in enumerate(queue):
                if isinstance(item, _Heard | bytes):
                    del queue[position]
                    self._frames_waiting -= 1
                    self.dropped_frames += 1
                    return
