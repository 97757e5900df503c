"""The media of one WebRTC call, as the clock sees it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

from inzwa_rtc.transport.jitterbuffer import TICK_S
from inzwa_rtc.transport.receiver import OpusReceiver
from inzwa_rtc.transport.sender import OpusSender

READ_S = 0.075
"""At the fourth tick: a command is taken within 80 ms, and may take so long where nobody speaks.
There each second reading falls together with the look at what was said."""
NOBODY_S = 0.5
"""Nobody listens who has fetched nothing for so long: what comes is read as it comes."""


class Lane(Protocol):
    """Where packets come in."""

    def read(self, now: float) -> None:
        """Take in what has come by now."""
        ...

    def take_silent(self) -> None:
        """Take in what was put aside because it is silent."""
        ...

    def let_go(self) -> None:
        """Until the next `read`, what comes is taken in as it comes."""
        ...


class WebRtcLine:
    """Satisfies `clock.Line`. `on_fault` ends the call."""

    def __init__(
        self,
        lane: Lane,
        sender: OpusSender,
        receiver: OpusReceiver,
        on_fault: Callable[[], None],
    ) -> None:
        self._lane = lane
        self._read_at = self._fetched_at = -math.inf
        self._sender = sender
        self._receiver = receiver
        self._on_fault = on_fault

    def send(self, tick: int, now: float) -> None:
        """One packet of sound, or what stands for silence."""
        self._sender.send(tick)

    def take_in(self, now: float) -> None:
        """Read what nobody has fetched for a while: there may be more than sound."""
        if now - self._fetched_at >= NOBODY_S:
            self._lane.let_go()
            self._lane.take_silent()
            self._receiver.take(now)
        elif now - self._read_at >= READ_S:
            self._read(now)

    def rests(self, now: float) -> int:
        """Until it is to be read, where nothing is to be sent."""
        if not self._sender.is_quiet or now - self._fetched_at >= NOBODY_S:
            return 0
        return max(0, math.ceil((READ_S - (now - self._read_at)) / TICK_S) - 1)

    def is_silent(self, now: float) -> bool:
        """Whether nothing but silence has come that was not fetched."""
        self._read(now)
        return self._receiver.is_empty

    def fetch(self, now: float) -> None:
        """Read and decode what has come: somebody wants to hear it."""
        self._fetched_at = now
        self._read(now)
        self._lane.take_silent()
        self._receiver.take(now)
        self._receiver.decode()

    def _read(self, now: float) -> None:
        if now == self._read_at:  # one tick: the clock, then who listens, and who asks for silence
            return
        self._read_at = now
        self._lane.read(now)

    def fail(self) -> None:
        """The clock has let it go."""
        self._on_fault()
