"""What those who watch over calls are told: how long things take, never what is said.

The core tells it to whoever the call was given (`CallObserver`), and knows nothing of metrics,
traces or logs. Nothing here may wait or raise.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

from inzwa_rtc.errors import InzwaError
from inzwa_rtc.events import Event

StageName = Literal["turn", "recognise", "reply", "synthesise"]
Queue = Literal["tokens", "phrases"]

CANCELLED = "cancelled"
"""What a stage ended with that nobody wanted to the end any more."""


@dataclass(slots=True)
class Stage:
    """One stage of a turn, from when it was asked for to its end.

    Times are the loop's clock, in seconds; `first` is when it gave something for the first time,
    `last` when it did for the last time so far. `given` counts what it gave (a reply: tokens).
    `aside_s` of the time between those two it waited for others to take what it gave. `kind` is a
    word of ours that says more: what a turn answers, whether a phrase was kept. `error` is the code
    of what it failed with.
    """

    turn: int
    name: StageName
    began: float
    kind: str = ""
    ended: float = 0.0
    first: float | None = None
    last: float = 0.0
    given: int = 0
    aside_s: float = 0.0
    error: str | None = None

    def gave(self) -> None:
        """It gives something now."""
        self.last = time.monotonic()
        if self.first is None:
            self.first = self.last
            self.aside_s = 0.0
        self.given += 1

    @contextmanager
    def aside(self) -> Iterator[None]:
        """While the block runs, others are waited for."""
        since = time.monotonic()
        try:
            yield
        finally:
            self.aside_s += time.monotonic() - since

    @property
    def per_second(self) -> float | None:
        """How fast it gave, where there is anything to tell of that."""
        if self.first is None or self.given < _ENOUGH:
            return None
        seconds = self.last - self.first - self.aside_s
        return (self.given - 1) / seconds if seconds > 0 else None


_ENOUGH = 5  # of fewer, the pace is chance


class CallObserver(Protocol):
    """Watches over one call."""

    def event(self, event: Event) -> None:
        """The caller is told this."""
        ...

    def stage(self, stage: Stage) -> None:
        """A stage has ended. That of the turn itself is the last one of it."""
        ...

    def waiting(self, queue: Queue, depth: int) -> None:
        """So many wait in a queue of a turn, the one just added included."""
        ...

    def barge_in(self, ms: int) -> None:
        """The reply was silenced when the caller had spoken for so long."""
        ...


class Unobserved:
    """Nobody watches."""

    def event(self, event: Event) -> None:
        """As in `CallObserver`."""

    def stage(self, stage: Stage) -> None:
        """As in `CallObserver`."""

    def waiting(self, queue: Queue, depth: int) -> None:
        """As in `CallObserver`."""

    def barge_in(self, ms: int) -> None:
        """As in `CallObserver`."""


@contextmanager
def observed(observer: CallObserver, turn: int, name: StageName, kind: str = "") -> Iterator[Stage]:
    """A stage that lasts as long as the block, however that ends."""
    stage = Stage(turn, name, time.monotonic(), kind)
    try:
        yield stage
    except BaseException as error:
        stage.error = _code(error)
        raise
    finally:
        stage.ended = time.monotonic()
        observer.stage(stage)


def _code(error: BaseException) -> str:
    if isinstance(error, InzwaError):
        return error.code
    is_given_up = isinstance(error, asyncio.CancelledError | GeneratorExit)
    return CANCELLED if is_given_up else InzwaError.code
