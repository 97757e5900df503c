"""A database in one SQLite file, which several processes may use at the same time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import filelock
from sqlalchemy import URL, Connection, NullPool, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from inzwa_rtc.errors import ConfigError
from inzwa_rtc.store.backend import WAIT_S

POOL = 4  # readers beside the one writer that SQLite allows; each is a thread

_HELD_S = 30.0  # an upgrade of a large database by another process


class SQLite:
    """The database in the file `place`."""

    errors: tuple[type[Exception], ...] = (OSError, filelock.Timeout)

    def __init__(self, place: Path) -> None:
        self.place = place.absolute()
        self._seen: tuple[int, int] | None = None

    def engine(self) -> AsyncEngine:
        """As in `Backend`."""
        engine = create_async_engine(
            self._url(), pool_size=POOL, max_overflow=0, pool_timeout=WAIT_S, connect_args=_LIMITS
        )
        event.listen(engine.sync_engine, "connect", self._connected)
        event.listen(engine.sync_engine, "checkout", self._still_the_same)
        event.listen(engine.sync_engine, "begin", _begin)
        return engine

    def engine_for_migrations(self) -> AsyncEngine:
        """As in `Backend`. Without foreign keys: to change a table SQLite has it made anew, and
        dropping the old one would delete what refers to it."""
        engine = create_async_engine(self._url(), poolclass=NullPool, connect_args=_LIMITS)
        event.listen(engine.sync_engine, "connect", _set_up_for_migrations)
        event.listen(engine.sync_engine, "begin", _begin)
        return engine

    def identity(self) -> tuple[int, int] | None:
        """As in `Backend`: SQLite itself would go on writing to a file that was deleted."""
        try:
            found = self.place.stat()
        except FileNotFoundError:
            self._seen = None
        else:
            self._seen = (found.st_dev, found.st_ino)
        return self._seen

    def made(self) -> None:
        """As in `Backend`. Only its owner may read it; SQLite gives the files beside it (-wal,
        -shm) the same mode."""
        self.place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(self.place, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))

    @contextmanager
    def held(self) -> Iterator[None]:
        """As in `Backend`. A file of its own: SQLite does not wait for the switch to WAL."""
        with filelock.FileLock(f"{self.place}.lock", timeout=_HELD_S, mode=0o600):
            yield

    async def settled(self, engine: AsyncEngine) -> None:
        """As in `Backend`: with a log of changes (WAL), for good. Readers and a writer do not
        wait for each other then."""
        await _outside_transactions(engine, "PRAGMA journal_mode = WAL")

    async def lock(self, connection: AsyncConnection) -> None:
        """As in `Backend`: the transaction has begun as a writing one."""

    async def forget(self, engine: AsyncEngine) -> None:
        """As in `Backend`. `secure_delete` overwrites pages in the file; the log of changes is
        emptied into it here. Where a reader holds that up, the next one does it."""
        await _outside_transactions(engine, "PRAGMA wal_checkpoint(TRUNCATE)")

    def mistake(self, error: BaseException) -> ConfigError | None:
        """As in `Backend`: a file may come back, and room on the disk."""
        return None

    def reason(self, error: BaseException) -> str:
        """As in `Backend`, such as SQLITE_BUSY."""
        cause = getattr(error, "orig", None) or error
        return getattr(cause, "sqlite_errorname", None) or type(cause).__name__

    def _connected(self, connection: Any, record: ConnectionPoolEntry) -> None:
        _set_up(connection)
        record.info["file"] = self._seen

    def _still_the_same(self, _connection: Any, record: ConnectionPoolEntry, _: Any) -> None:
        if record.info["file"] != self._seen:
            raise InvalidatePoolError

    def _url(self) -> URL:
        # mode=rw: a file that is gone is an error. A new one in its place would know no keys,
        # and a server without keys may be open.
        return URL.create(
            "sqlite+aiosqlite",
            database=f"file:{quote(str(self.place))}",
            query={"mode": "rw", "uri": "true"},
        )


async def _outside_transactions(engine: AsyncEngine, pragma: str) -> None:
    async with engine.connect() as connection:
        await connection.execution_options(begins=False)
        await connection.exec_driver_sql(pragma)


_LIMITS = {"timeout": WAIT_S, "check_same_thread": False}

_PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # what is deleted is overwritten
    "PRAGMA synchronous = FULL",  # a key that was revoked stays so when the power fails
)


def _set_up(connection: Any) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _set_up_for_migrations(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("writes", False):
        # Who reads first and writes later is refused at once, instead of waiting.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif options.get("begins", True):
        connection.exec_driver_sql("BEGIN")
