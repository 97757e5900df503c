"""What a caller was told of late, for one who has missed some of it."""

from __future__ import annotations

from collections import deque

from inzwa_rtc.events import Event, NetworkMeasured, Numbered, Transcript

KEPT = 256  # what is told in a minute of talk, and as much as a transport takes at once


class EventLog:
    """The newest events of a call, numbered from 1. Those that the next of their kind makes void
    have no number, and are not kept: partial transcripts, and how the network was."""

    def __init__(self, size: int = KEPT) -> None:
        self._kept: deque[Numbered] = deque(maxlen=size)
        self._newest = 0

    def add(self, event: Event) -> Event | Numbered:
        """The event, with its number where it may be told again."""
        if _is_soon_void(event):
            return event
        self._newest += 1
        numbered = Numbered(event, self._newest)
        self._kept.append(numbered)
        return numbered

    def after(self, number: int) -> list[Numbered]:
        """All events after this one that are still known, in their order."""
        return [one for one in self._kept if one.number > number]

    def knows_all_after(self, number: int) -> bool:
        """Whether none of them was forgotten."""
        oldest = self._kept[0].number if self._kept else self._newest + 1
        return number >= oldest - 1


def _is_soon_void(event: Event) -> bool:
    if isinstance(event, Transcript):
        return not event.is_final
    return isinstance(event, NetworkMeasured)
