"""What a conversation needs of a transport, and what a caller may ask for."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from inzwa_rtc.audio.frame import Frame
from inzwa_rtc.engines.contracts import Haste
from inzwa_rtc.events import Event
from inzwa_rtc.playout.playout import Playout
from inzwa_rtc.playout.unheard import Unheard


@dataclass(frozen=True, slots=True)
class StartTurn:
    """The caller opened the microphone by hand: until `EndTurn`, silence does not end the turn."""


@dataclass(frozen=True, slots=True)
class EndTurn:
    """The caller has finished speaking: do not wait for silence."""


@dataclass(frozen=True, slots=True)
class TypedText:
    """A typed message, to be answered aloud."""

    text: str


@dataclass(frozen=True, slots=True)
class Played:
    """Samples of a turn's audio that the caller's device has played (None: the newest turn)."""

    turn: int | None
    samples: int


@dataclass(frozen=True, slots=True)
class UpdateVoice:
    """New settings from the next phrase on; None leaves one as it is."""

    language: str | None = None
    voice: str | None = None
    speed: float | None = None


@dataclass(frozen=True, slots=True)
class HangUp:
    """The caller ends the call."""


Command = StartTurn | EndTurn | TypedText | Played | UpdateVoice | HangUp


@dataclass(frozen=True, slots=True)
class Gone:
    """The connection is lost, and the caller may come back over another one. Of these replies,
    which were played to their end, they have not heard all."""

    unheard: tuple[Unheard, ...] = ()


@dataclass(frozen=True, slots=True)
class Back:
    """The caller is there again, after so many seconds."""

    away_s: float


class Peer(Protocol):
    """One caller's connection."""

    @property
    def out_sample_rate(self) -> int:
        """Rate of the audio it wants to play, in Hz."""
        ...

    def play(self, playout: Playout) -> None:
        """From now on, pull a frame from `playout` every 20 ms, at least where
        anything is to be said."""
        ...

    def receive(self) -> AsyncGenerator[Frame | Command | Gone | Back, None]:
        """The caller's audio, 16 kHz, as the voice detector has heard it, without gaps in its
        sample count (silence stands in for what did not come), and commands. Ends when the
        caller is gone for good."""
        ...

    def listen(self, haste: Haste) -> None:
        """How soon what the caller says is wanted from now on; at first, each frame at once."""
        ...

    def send(self, event: Event) -> None:
        """Tell the caller. Never waits; a caller who does not read is disconnected."""
        ...
