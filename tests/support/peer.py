"""A caller in memory: frames and commands in, events and pulled audio out."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Callable
from typing import TypeVar

from inzwa_rtc.audio.frame import Frame
from inzwa_rtc.conversation.peer import Command
from inzwa_rtc.engines.contracts import Haste
from inzwa_rtc.events import Departure, Event, Numbered
from inzwa_rtc.playout.outlet import LEAST_TRANSIT_MS
from inzwa_rtc.playout.playout import Playout
from tests.support.engines import LoudIsSpeech

E = TypeVar("E")
FRAME_SAMPLES = 320
VOICE = b"\x10\x10" * FRAME_SAMPLES
SILENCE = bytes(2 * FRAME_SAMPLES)


class MemoryPeer:
    """Time passes only when the test feeds it: one pull for each frame fed."""

    out_sample_rate = 16_000

    def __init__(self) -> None:
        self.departure: Departure = "lost"
        self.numbers: list[int] = []
        """Of those events that have one."""
        self.events: list[Event] = []
        self.pulled: list[bytes | None] = []
        self._items: asyncio.Queue[Frame | Command | None] = asyncio.Queue()
        self._index = 0
        self._silent_since: float | None = None
        self._playout: Playout | None = None
        self._changed = asyncio.Event()

    def play(self, playout: Playout) -> None:
        self._playout = playout

    def listen(self, haste: Haste) -> None:
        self.haste = haste

    @property
    def last_heard(self) -> float:
        """As in `Connection`: whatever has left was heard, until it falls silent."""
        return self._silent_since or math.inf

    def fall_silent(self) -> None:
        """The network fails: what leaves from now on reaches nobody, and nobody knows yet."""
        now = asyncio.get_running_loop().time()
        self._silent_since = now + LEAST_TRANSIT_MS / 1000

    def send(self, event: Event | Numbered) -> None:
        if isinstance(event, Numbered):
            self.numbers.append(event.number)
            event = event.event
        self.events.append(event)
        self._changed.set()

    async def receive(self) -> AsyncGenerator[Frame | Command, None]:
        while (item := await self._items.get()) is not None:
            yield item
            self._items.task_done()
        self._items.task_done()

    async def feed(self, pcm: bytes, ms: int) -> None:
        """Let `ms` pass with this in the microphone."""
        for _ in range(ms // 20):
            speech = LoudIsSpeech().feed(pcm)
            self._items.put_nowait(Frame(pcm, 16_000, self._index, speech))
            self._index += FRAME_SAMPLES
            await self._items.join()
            await settle()
            frame = self._playout.pull() if self._playout else None
            self.pulled.append(frame.pcm if frame else None)
            await settle()

    async def speak(self, ms: int) -> None:
        await self.feed(VOICE, ms)

    async def be_silent(self, ms: int) -> None:
        await self.feed(SILENCE, ms)

    async def command(self, command: Command) -> None:
        self._items.put_nowait(command)
        await settle()

    def hang_up(self) -> None:
        """The connection is gone."""
        self._items.put_nowait(None)

    def all(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def last(self, kind: type[E]) -> E:
        return self.all(kind)[-1]

    async def told(self, kind: type[Event]) -> None:
        """Wait, while no audio comes, until such an event was sent."""
        while not self.all(kind):
            self._changed.clear()
            await self._changed.wait()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Feed silence until something is so."""
        for _ in range(3000):
            if condition():
                return
            await self.be_silent(20)
        raise AssertionError("it did not come about within a minute of the call's time")


async def settle() -> None:
    """Let all tasks run that can."""
    for _ in range(12):
        await asyncio.sleep(0)
