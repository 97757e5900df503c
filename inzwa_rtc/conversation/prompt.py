"""What a turn answers."""

from __future__ import annotations

from dataclasses import dataclass

from inzwa_rtc.conversation.utterance import Utterance
from inzwa_rtc.events import EndReason


@dataclass(frozen=True, slots=True)
class Typed:
    """A message that the caller typed."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class Announcement:
    """A line of the server's own; `hang_up` ends the call after it."""

    turn: int
    text: str
    hang_up: EndReason | None = None


Prompt = Utterance | Typed | Announcement
