"""One 20 ms clock for the media of all calls.

A tick sends what is due on every line, takes in what has come on every line, and then lets
listeners run once for all of them. No call has a timer or a task of its own for its media.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, Protocol

import structlog

from inzwa_rtc.transport.pace import Pacer
from inzwa_rtc.transport.punctuality import Percentiles, Punctuality

log = structlog.get_logger(__name__)


class Line(Protocol):
    """The media of one call. `now` is the loop's time in seconds."""

    def send(self, tick: int, now: float) -> None:
        """Send what is due at this tick; ticks are 20 ms apart, and skip what a stall took."""
        ...

    def take_in(self, now: float) -> None:
        """Hand on what has come from the caller."""
        ...

    def fail(self) -> None:
        """A fault of the line's own ended it: the clock has let it go."""
        ...


class MediaClock:
    """Made once for a server, whose tasks `run` is one of. It sleeps while there is no call."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[float], None]] = []
        """Called at the end of each tick, with the time."""
        self._lines: dict[Line, None] = {}  # in the order in which they came
        self._keepers = 0
        self._is_wanted = asyncio.Event()
        self._punctuality = Punctuality()

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def lateness(self) -> Percentiles:
        """Of the last 10 s, ticks that a stall has taken among them; 0 while it sleeps, and when
        it wakes."""
        return self._punctuality.lateness

    def add(self, line: Line) -> None:
        """From the next tick on."""
        self._lines[line] = None
        self._is_wanted.set()

    def remove(self, line: Line) -> None:
        """Never call it again. May be called more than once."""
        self._lines.pop(line, None)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """It ticks for its listeners while the block runs, whether there are lines or not."""
        self._keepers += 1
        self._is_wanted.set()
        try:
            yield
        finally:
            self._keepers -= 1

    async def run(self) -> NoReturn:
        """Tick for as long as it is of use, until cancelled."""
        while True:
            await self._is_wanted.wait()
            await self._tick_while_wanted()

    async def _tick_while_wanted(self) -> None:
        """Each tick is a timer's own call: to wake a task for it takes the loop one turn more."""
        loop = asyncio.get_running_loop()
        pacer, over = Pacer(loop.time()), loop.create_future()
        timer: asyncio.TimerHandle

        def wait() -> None:
            nonlocal timer
            number, wait_s = pacer.next_frame(loop.time())
            timer = loop.call_later(wait_s, tick, number)

        def tick(number: int) -> None:
            if over.done():  # cancelled in this very turn of the loop
                return
            try:
                self.send(number, loop.time())
                self._punctuality.note(number, loop.time() - pacer.due(number))
                self.take_in(loop.time())
                if self._lines or self._keepers:
                    wait()
                else:  # in the same turn: whoever comes next wakes it
                    self._is_wanted.clear()
                    self._punctuality.begin()
                    over.set_result(None)
            except Exception as error:  # noqa: BLE001 - told where the clock is waited for
                over.set_exception(error)

        wait()
        try:
            await over
        finally:
            timer.cancel()

    def send(self, tick: int, now: float) -> None:
        """The first half of a tick: what callers hear is never late for what they say."""
        for line in list(self._lines):
            self._guarded(line, line.send, tick, now)

    def take_in(self, now: float) -> None:
        """The second half."""
        for line in list(self._lines):
            self._guarded(line, line.take_in, now)
        for listener in self.listeners:
            try:
                listener(now)
            except Exception:  # the clock goes on for all calls
                log.exception("media.listener_failed")

    def _guarded(self, line: Line, work: Callable[..., None], *given: Any) -> None:
        """One call's fault must not silence the others."""
        try:
            work(*given)
        except Exception:
            log.exception("media.line_failed")
            self.remove(line)
            self._let_fail(line)

    def _let_fail(self, line: Line) -> None:
        try:
            line.fail()
        except Exception:  # nor how it ends
            log.exception("media.line_not_ended")
