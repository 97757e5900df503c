"""What a transport needs of a dialect: events out as text, text in as commands."""

from __future__ import annotations

from typing import Protocol, TypeVar

from inzwa_rtc.events import Event

C = TypeVar("C", covariant=True)


class Dialect(Protocol[C]):
    """One way to write events and commands down. `C` is the type of commands."""

    def encode(self, event: Event) -> str | None:
        """The event as one message, None where the dialect has no word for it."""
        ...

    def decode(self, message: str) -> C:
        """The command in a client's message. Raises `PeerError`."""
        ...
