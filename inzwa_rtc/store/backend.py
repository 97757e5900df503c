"""What is needed of a kind of database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from inzwa_rtc.errors import ConfigError

TIME_LIMIT_S = 2.0
"""How long one request to the database may take. Each is a few rows by their key, a matter of
milliseconds; whoever waits for longer is in a call, or at its start."""

WAIT_S = 1.5
"""How long to wait for a lock or a connection: less than the limit, so that the database itself
says what was wrong."""

T = TypeVar("T")


class Backend(Protocol):
    """One database of a kind, reachable or not."""

    def engine(self) -> AsyncEngine:
        """For the server's own work: connections are kept."""
        ...

    def identity(self) -> object:
        """Which database it is; None while there is none. Another one, such as a file restored
        from a backup, has to be looked at afresh. May block."""
        ...

    def check_place(self) -> None:
        """Raises `ConfigError` where none may be made though there is none yet. May block."""
        ...

    def make(self) -> None:
        """Make the database where there is none yet and that is ours to do. May block. Raises as
        `check_place`."""
        ...

    def clear(self) -> None:
        """Remove what was left beside it by one in whose place it was put. May block."""
        ...

    def look(self, act: Callable[[Connection], T]) -> T:
        """What `act` gives, which only reads, over a connection of its own. Blocks."""
        ...

    def upgrade(self, act: Callable[[Connection], None]) -> None:
        """Have `act` change the tables: all of it or nothing, and nobody else meanwhile. Blocks."""
        ...

    async def forget(self, engine: AsyncEngine) -> None:
        """Overwrite what was deleted, as far as the database offers that."""
        ...

    def mistake(self, error: BaseException) -> ConfigError | None:
        """What the operator has to correct, where an error cannot pass by itself."""
        ...

    def reason(self, error: BaseException) -> str:
        """What happened, for the log, in a word of the driver's: never its message, which may
        repeat the address or what was being written."""
        ...

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What the driver raises besides SQLAlchemy's own errors."""
        ...
