"""Transactions on a database that may be away, be locked, or come back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from logging import CRITICAL, getLogger
from typing import Any, TypeVar

import structlog
from sqlalchemy import Row, Select
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime
from sqlalchemy.ext.asyncio import AsyncConnection

from inzwa_rtc.errors import ConfigError, Unavailable
from inzwa_rtc.store.backend import TIME_LIMIT_S, Backend
from inzwa_rtc.store.migrating import migrate

T = TypeVar("T")

log = structlog.get_logger(__name__)

# That a connection could not even be closed is told by `database.unavailable`, without the trace.
getLogger("sqlalchemy.pool").setLevel(CRITICAL)


class Away(Unavailable):
    """The database cannot be used now, as those are told who ask a server. `reason` is the
    driver's word for why, which is the operator's to know."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            "The database of users and keys cannot be used now.",
            action="Try again in a few seconds; the operator finds the reason in the log.",
            code="database_unavailable",
            retry_after_s=5,
        )
        self.reason = reason

    def for_operator(self) -> Unavailable:
        """The same with the reason, and what to do about it."""
        action = "docs/users.md says what that means (When it is away)."
        # It writes (SQLITE_BUSY_RECOVERY and others, too), or upgrades the tables.
        if self.reason.startswith("SQLITE_BUSY") or self.reason == "Timeout":
            action = "Another process holds it. Try again; if it goes on, stop that process."
        return Unavailable(
            f"The database of users and keys cannot be used: {self.reason}.",
            action=action,
            code=self.code,
        )


class Database:
    """A database with the tables of this version, upgraded before its first use, whenever that
    is; so is one that was put in its place."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._engine = backend.engine()
        self._is_made = False
        self._prepared: object = None  # the identity of the database that was looked at
        self._preparing: asyncio.Task[None] | None = None
        self._work: set[asyncio.Task[Any]] = set()
        self._is_away = False
        self._away: tuple[type[Exception], ...] = (
            SQLAlchemyError,
            TimeoutError,
            *backend.errors,
        )

    async def open(self) -> None:
        """Make and upgrade the database. One that is away is left for later, and the log says
        so. Raises `ConfigError` for what does not pass by itself."""
        try:
            await self._prepare()
        except self._away as error:
            mistake = self._backend.mistake(error)
            if mistake is not None:
                raise mistake from None
            self._tell_away(self._backend.reason(error))

    async def close(self) -> None:
        """Let what is under way end, then all connections."""
        while self._work:
            await asyncio.wait(self._work)
        await self._engine.dispose()
        await asyncio.to_thread(self._backend.clear)

    async def read(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        """The rows that are there. Raises `Unavailable`."""

        async def rows(connection: AsyncConnection) -> Sequence[Row[Any]]:
            found: Sequence[Row[Any]] = (await connection.execute(statement)).all()
            return found

        return await self._in_time(self._transaction(rows, writes=False))

    async def write(
        self,
        act: Callable[[AsyncConnection], Awaitable[T]],
        then: Callable[[], Awaitable[None]] | None = None,
    ) -> T:
        """What `act` gives, in a transaction: all that it changes is changed, or nothing. Raises
        `Unavailable`, after which it may still come to be. `then` follows once it has, whoever
        still waits."""

        async def written() -> T:
            given = await self._transaction(act, writes=True)
            if then is not None:
                await then()
            return given

        return await self._in_time(written())

    async def forget(self) -> None:
        """Overwrite what was deleted, as far as the database offers that. Raises `Unavailable`."""
        await self._in_time(self._forget())

    async def _forget(self) -> None:
        await self._ready()
        await self._backend.forget(self._engine)

    async def _transaction(
        self, act: Callable[[AsyncConnection], Awaitable[T]], *, writes: bool
    ) -> T:
        await self._ready()
        async with self._engine.connect() as connection:
            # One statement is a transaction by itself; in SQLite, where each step is a thread's,
            # the beginning of another would take as long again.
            await connection.execution_options(writes=writes, begins=writes)
            async with connection.begin():
                return await act(connection)

    async def _in_time(self, work: Coroutine[Any, Any, T]) -> T:
        """What it gives. Whoever waits may give up, or be cancelled, as when a client hangs up;
        the work itself goes on to its end, which the drivers' own limits bring about: cancelled
        in a thread's midst it would leave its transaction open, and SQLite locked."""
        task = self._owned(work)
        with self._telling():
            done, _ = await asyncio.wait({task}, timeout=TIME_LIMIT_S)
            if not done:
                raise TimeoutError
            return task.result()

    def _owned(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._work.discard(task)
        if not task.cancelled():
            task.exception()  # told by whoever waited, if anybody still does

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """What the block cannot do for the database's sake is `Unavailable`."""
        try:
            yield
        except (IntegrityError, DataError) as error:
            # The program's own mistake. The driver's words name what was being written.
            reason = self._backend.reason(error)
            raise RuntimeError(f"the database cannot take what was written: {reason}") from None
        except ConfigError as error:  # a newer program has upgraded it while this one runs
            self._tell_away(error.code)
            raise Away(error.code) from None
        except self._away as error:
            if not isinstance(error, TimeoutError | NoConnectionInTime):
                self._prepared = None  # what comes back may be another one
            reason = self._backend.reason(error)
            self._tell_away(reason)
            raise Away(reason) from None
        if self._is_away:
            self._is_away = False
            log.info("database.back")

    async def _ready(self) -> None:
        identity = await asyncio.to_thread(self._backend.identity)
        if identity is None or identity != self._prepared:
            await self._prepare()

    async def _prepare(self) -> None:
        """All who wait for it share one attempt."""
        if self._preparing is None or self._preparing.done():
            self._preparing = self._owned(self._look_at_it())
        await asyncio.shield(self._preparing)

    async def _look_at_it(self) -> None:
        if not self._is_made:  # else one that is gone is missed
            await asyncio.to_thread(self._backend.make)
            self._is_made = True
        identity = await asyncio.to_thread(self._backend.identity)
        await asyncio.to_thread(self._backend.clear)
        await asyncio.to_thread(migrate, self._backend)
        self._prepared = identity

    def _tell_away(self, reason: str) -> None:
        """Once for each time that it goes away."""
        if not self._is_away:
            self._is_away = True
            log.warning("database.unavailable", reason=reason)
