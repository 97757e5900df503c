"""One 20 ms clock for the media of all calls.

A tick sends what is due on every line, takes in what has come on every line, and then lets
listeners run once for all of them. No call has a timer or a task of its own for its media.

To wake up costs a server of few calls as much as what it does then. So ticks at which no line and
no listener has anything to do are left out, until one of them asks for the next one (`wake`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, Protocol, TypeVar

import structlog

from inzwa_rtc.transport.pace import Pacer
from inzwa_rtc.transport.punctuality import Percentiles, Punctuality

MOST_LEFT_OUT = 7
"""Ticks: whatever has to do with nobody's rests waits for no longer."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


def _stay() -> None:
    """No tick is left out: there is nothing to hurry."""


class Line(Protocol):
    """The media of one call. `now` is the loop's time in seconds."""

    def send(self, tick: int, now: float) -> None:
        """Send what is due at this tick; ticks are 20 ms apart, and skip what a stall took and
        what was left out."""
        ...

    def take_in(self, now: float) -> None:
        """Hand on what has come from the caller."""
        ...

    def rests(self, now: float) -> int:
        """At how many of the next ticks it has nothing to do. Asked at the end of each."""
        ...

    def fail(self) -> None:
        """A fault of the line's own ended it: the clock has let it go."""
        ...


class Listener(Protocol):
    """Whoever listens to what all lines have taken in."""

    def tick(self, now: float, left_out: int) -> None:
        """A tick ends, at this time; so many before it were left out."""
        ...

    def rests(self) -> int:
        """At how many of the next ticks it has nothing to do."""
        ...


class MediaClock:
    """Made once for a server, whose tasks `run` is one of. It sleeps while there is no call."""

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        """Called at the end of each tick."""
        self._lines: dict[Line, None] = {}  # in the order in which they came
        self._keepers = 0
        self._is_wanted = asyncio.Event()
        self._punctuality = Punctuality()
        self._hurry: Callable[[], None] = _stay

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
        self.wake()

    def remove(self, line: Line) -> None:
        """Never call it again. May be called more than once."""
        self._lines.pop(line, None)
        self.wake()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """It ticks for its listeners while the block runs, whether there are lines or not."""
        self._keepers += 1
        self._is_wanted.set()
        self.wake()
        try:
            yield
        finally:
            self._keepers -= 1

    def wake(self) -> None:
        """There is something to do at the next tick: it is not left out."""
        self._hurry()

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
        first = 0  # of the ticks that may come next

        def wait(rests: int) -> None:
            nonlocal timer, first
            number, wait_s = pacer.next_frame(loop.time(), rests)
            first = number - rests
            timer = loop.call_later(wait_s, tick, number)
            self._hurry = hurry if rests else _stay

        def hurry() -> None:
            nonlocal timer
            timer.cancel()
            number, wait_s = pacer.sooner(loop.time(), first)
            timer = loop.call_later(wait_s, tick, number)
            self._hurry = _stay

        def tick(number: int) -> None:
            if over.done():  # cancelled in this very turn of the loop
                return
            self._hurry = _stay
            left_out = number - first
            try:
                self.send(number, loop.time())
                self._punctuality.rest(left_out)
                self._punctuality.note(number, loop.time() - pacer.due(number))
                self.take_in(loop.time(), left_out)
                if self._lines or self._keepers:
                    wait(self._rests(loop.time()))
                else:  # in the same turn: whoever comes next wakes it
                    self._is_wanted.clear()
                    self._punctuality.begin()
                    over.set_result(None)
            except Exception as error:  # noqa: BLE001 - told where the clock is waited for
                over.set_exception(error)

        wait(0)
        try:
            await over
        finally:
            timer.cancel()
            self._hurry = _stay

    def send(self, tick: int, now: float) -> None:
        """The first half of a tick: what callers hear is never late for what they say."""
        for line in list(self._lines):
            self._guarded(line, line.send, tick, now)

    def take_in(self, now: float, left_out: int = 0) -> None:
        """The second half; so many ticks before this one were left out."""
        for line in list(self._lines):
            self._guarded(line, line.take_in, now)
        for listener in self.listeners:
            try:
                listener.tick(now, left_out)
            except Exception:  # whatever it is, packets leave: the clock goes on for all calls
                log.exception("media.listener_failed")

    def _rests(self, now: float) -> int:
        """How many of the next ticks nobody needs."""
        rests = min([MOST_LEFT_OUT, *(listener.rests() for listener in self.listeners)])
        for line in list(self._lines):
            if not rests:
                break
            rests = min(rests, self._guarded(line, line.rests, now) or 0)
        return rests

    def _guarded(self, line: Line, work: Callable[..., T], *given: Any) -> T | None:
        """One call's fault must not silence the others."""
        try:
            return work(*given)
        except Exception:  # whatever it is, it is that call's, which is told by `fail`
            log.exception("media.line_failed")
            self.remove(line)
            self._let_fail(line)
            return None

    def _let_fail(self, line: Line) -> None:
        try:
            line.fail()
        except Exception:  # nor how it ends
            log.exception("media.line_not_ended")
