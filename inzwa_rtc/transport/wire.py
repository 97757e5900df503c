"""What a transport needs of a dialect: events out as text, text in as commands."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from inzwa_rtc.events import Event, Numbered

C = TypeVar("C", covariant=True)


class Dialect(Protocol[C]):
    """One way to write events and commands down. `C` is the type of commands."""

    def encode(self, event: Event, number: int | None = None) -> str | None:
        """The event as one message, None where the dialect has no word for it. `number` is its
        place among the events of the call, for those that may be told again."""
        ...

    def decode(self, message: str) -> C:
        """The command in a client's message. Raises `PeerError`."""
        ...


def message_of(event: Event | Numbered, dialect: Dialect[Any]) -> str | None:
    """The event as a message that can be sent: half a character, as a model that cuts
    its tokens anywhere may give, becomes `?`, for UTF-8 cannot carry it."""
    if isinstance(event, Numbered):
        message = dialect.encode(event.event, event.number)
    else:
        message = dialect.encode(event)
    return None if message is None else message.encode("utf-8", "replace").decode("utf-8")
