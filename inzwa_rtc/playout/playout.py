"""The pull side of a call: what the caller hears next.

A transport pulls one 20 ms frame every 20 ms. One `Speech` at a time fills the
playout; holding the playout or cutting a speech takes effect on the very next frame.
"""

from __future__ import annotations

from collections.abc import Callable

from inzwa_rtc.audio.frame import PlayoutFrame
from inzwa_rtc.events import Event
from inzwa_rtc.playout.encoding import PacketForm
from inzwa_rtc.playout.speech import Speech


class Playout:
    """What a transport plays to one caller: int16 LE mono at `rate` Hz."""

    def __init__(self, rate: int, on_event: Callable[[Event], None]) -> None:
        self.rate = rate
        self.transit_ms = 0  # set by a transport that knows how long audio is under way
        self.form: PacketForm | None = None
        self.on_event = on_event
        self.is_held = False
        self._speech: Speech | None = None

    @property
    def newest(self) -> Speech | None:
        """The speech that is played, or was the last to be."""
        return self._speech

    def want(self, form: PacketForm | None) -> None:
        """What a transport that sends Opus says: in this form, from the next speech on."""
        self.form = form

    def speech(self, turn: int) -> Speech:
        """A new turn's speech. The one before it is cut if it still plays."""
        if self._speech is not None:
            self._speech.cut()
        self._speech = Speech(turn, self)
        return self._speech

    @property
    def is_heard(self) -> bool:
        """Whether the caller hears something now."""
        return self._speech is not None and self._speech.is_playing and not self.is_held

    def hold(self) -> None:
        """Silence from the next frame on, whatever there is to play, until `release`."""
        self._set_held(True)

    def release(self) -> None:
        """Go on where `hold` stopped."""
        self._set_held(False)

    def pull(self) -> PlayoutFrame | None:
        """The next 20 ms, or None for silence. To be called once for each 20 ms of the call,
        but for those of which it is known that nothing is to be said."""
        return self._speech.pull() if self._speech is not None else None

    @property
    def is_ready(self) -> bool:
        """Whether there is sound to be pulled."""
        return self._speech is not None and self._speech.is_ready

    def report_played(self, turn: int | None, samples: int) -> None:
        """The caller's device has played `samples` of the audio of `turn` (None: the newest)."""
        if self._speech is not None and turn in (None, self._speech.turn):
            self._speech.report_played(samples)

    def stop(self) -> None:
        """The call is over: nothing plays any more."""
        if self._speech is not None:
            self._speech.cut()

    def _set_held(self, is_held: bool) -> None:
        self.is_held = is_held
        if self._speech is not None:
            self._speech.tell_held()
