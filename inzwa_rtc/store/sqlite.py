"""A database in one SQLite file, which several processes may use at the same time."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import filelock
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from inzwa_rtc.errors import ConfigError
from inzwa_rtc.store.backend import WAIT_S

POOL = 4  # readers beside the one writer that SQLite allows; each is a thread

_UPGRADE_S = 30.0  # the wait while another process upgrades

_BESIDE = ("-wal", "-shm")
"""SQLite's log of changes, and its index."""

T = TypeVar("T")

_File = tuple[int, int]  # device and inode


class SQLite:
    """The database in the file `place`."""

    errors: tuple[type[Exception], ...] = (OSError, filelock.Timeout)

    def __init__(self, place: Path) -> None:
        self.place = place.absolute()
        self._seen: _File | None = None
        self._logs: tuple[_File | None, ...] = (None,) * len(_BESIDE)  # of the one in use
        self._logs_of: _File | None = None

    def engine(self) -> AsyncEngine:
        """As in `Backend`."""
        engine = create_async_engine(
            self._url("sqlite+aiosqlite"),
            pool_size=POOL,
            max_overflow=0,
            pool_timeout=WAIT_S,
            connect_args=_LIMITS,
            hide_parameters=True,  # errors are logged; whom they are about is not
        )
        event.listen(engine.sync_engine, "connect", self._connected)
        event.listen(engine.sync_engine, "checkout", self._still_the_same)
        event.listen(engine.sync_engine, "begin", _begin)
        return engine

    def identity(self) -> _File | None:
        """As in `Backend`: SQLite itself would go on writing to a file that was deleted."""
        self._seen = _file(self.place)
        return self._seen

    def check_place(self) -> None:
        """As in `Backend`. A folder that is missing was most likely misspelt, or is not mounted:
        a new database there would know no keys, and a server without keys may be open."""
        folder = self.place.parent
        if not folder.exists():
            raise ConfigError(
                f"`database_url` names {self.place}, but there is no folder {folder}.",
                action=f"Correct it, or make the folder: mkdir -p {shlex.quote(str(folder))}",
            )

    def make(self) -> None:
        """As in `Backend`. Only its owner may read it; SQLite gives the files beside it the same
        mode."""
        self.check_place()
        with suppress(FileExistsError):
            os.close(os.open(self.place, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))

    def clear(self) -> None:
        """As in `Backend`. SQLite would take the log of a file that is no longer there for that
        of the new one, and mix the two."""
        here = _file(self.place)
        if here is None or self._logs_of in (None, here):
            return
        for ending, log in zip(_BESIDE, self._logs, strict=True):
            path = self._beside(ending)
            if log is not None and _file(path) == log:  # else it came with the new one
                path.unlink(missing_ok=True)
        self._logs_of = None

    def look(self, act: Callable[[Connection], T]) -> T:
        """As in `Backend`."""
        with _disposed(self._plain_engine()) as engine, engine.begin() as connection:
            return act(connection)

    def upgrade(self, act: Callable[[Connection], None]) -> None:
        """As in `Backend`. By a lock of its own, since SQLite does not wait for the switch to a
        log of changes, with which readers and a writer do not wait for each other."""
        lock = filelock.FileLock(self._beside(".lock"), timeout=_UPGRADE_S, mode=0o600)
        with lock, _disposed(self._plain_engine()) as engine:
            with engine.connect().execution_options(begins=False) as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            with engine.connect().execution_options(writes=True) as connection:
                with connection.begin():
                    act(connection)

    async def forget(self, engine: AsyncEngine) -> None:
        """As in `Backend`. `secure_delete` overwrites pages in the file; the log of changes is
        emptied into it here. Where a reader holds that up, the next one does it."""
        async with engine.connect() as connection:
            await connection.execution_options(begins=False)
            await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def mistake(self, error: BaseException) -> ConfigError | None:
        """As in `Backend`: a file may come back, and room on the disk."""
        return None

    def reason(self, error: BaseException) -> str:
        """As in `Backend`, such as SQLITE_BUSY."""
        cause = getattr(error, "orig", None) or error
        return getattr(cause, "sqlite_errorname", None) or type(cause).__name__

    def _plain_engine(self) -> Engine:
        """Without foreign keys: to change a table it is made anew, and dropping the old one
        would delete what refers to it."""
        engine = create_engine(
            self._url("sqlite"), poolclass=NullPool, connect_args=_LIMITS, hide_parameters=True
        )
        event.listen(engine, "connect", lambda connection, _: _set_up(connection, ()))
        event.listen(engine, "begin", _begin)
        return engine

    def _connected(self, connection: Any, record: ConnectionPoolEntry) -> None:
        _set_up(connection, ("PRAGMA foreign_keys = ON",))
        record.info["file"] = self._seen
        # It has been read from, so its log is there, and stays while a connection is kept.
        self._logs = tuple(_file(self._beside(ending)) for ending in _BESIDE)
        self._logs_of = self._seen

    def _still_the_same(self, _connection: Any, record: ConnectionPoolEntry, _: Any) -> None:
        if record.info["file"] != self._seen:
            raise InvalidatePoolError

    def _beside(self, ending: str) -> Path:
        return self.place.with_name(self.place.name + ending)

    def _url(self, driver: str) -> URL:
        # mode=rw: a file that is gone is an error. A new one in its place would know no keys,
        # and a server without keys may be open.
        return URL.create(
            driver,
            database=f"file:{quote(str(self.place))}",
            query={"mode": "rw", "uri": "true"},
        )


class OwnSQLite(SQLite):
    """The database in a file whose place nobody wrote: its folders are made, too."""

    def check_place(self) -> None:
        """As in `Backend`."""

    def make(self) -> None:
        """As in `Backend`."""
        self.place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().make()


@contextmanager
def _disposed(engine: Engine) -> Iterator[Engine]:
    """Its connections end with the block."""
    try:
        yield engine
    finally:
        engine.dispose()


_LIMITS = {"timeout": WAIT_S, "check_same_thread": False}


def _set_up(connection: Any, more: tuple[str, ...]) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says
    cursor = connection.cursor()
    for pragma in (
        "PRAGMA secure_delete = ON",  # what is deleted is overwritten
        "PRAGMA synchronous = FULL",  # a key that was revoked stays so when the power fails
        "PRAGMA schema_version",  # read now, so that what is wrong with the file shows here
        *more,
    ):
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("writes", False):
        # Who reads first and writes later is refused at once, instead of waiting.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif options.get("begins", True):
        connection.exec_driver_sql("BEGIN")


def _file(path: Path) -> _File | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
