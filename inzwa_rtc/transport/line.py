"""The media of one WebRTC call, as the clock sees it."""

from __future__ import annotations

from collections.abc import Callable

from inzwa_rtc.transport.receiver import OpusReceiver
from inzwa_rtc.transport.sender import OpusSender


class WebRtcLine:
    """Satisfies `clock.Line`. `on_fault` ends the call."""

    def __init__(
        self, sender: OpusSender, receiver: OpusReceiver, on_fault: Callable[[], None]
    ) -> None:
        self._sender = sender
        self._receiver = receiver
        self._on_fault = on_fault

    def send(self, tick: int, now: float) -> None:
        """One packet of sound, or what stands for silence."""
        self._sender.send(tick)

    def take_in(self, now: float) -> None:
        """Decode what has come."""
        self._receiver.take(now)

    def fail(self) -> None:
        """The clock has let it go."""
        self._on_fault()
