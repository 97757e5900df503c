"""Transactions on a database that may be away, be locked, or come back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from inzwa_rtc.errors import ConfigError, Unavailable
from inzwa_rtc.store.backend import TIME_LIMIT_S, Backend
from inzwa_rtc.store.migrating import migrate

log = structlog.get_logger(__name__)


class Database:
    """A database with the tables of this version, upgraded before its first use, whenever that
    is; so is one that was put in its place."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._engine = backend.engine()
        self._prepared: object = None  # the identity of the database that was looked at
        self._preparing: asyncio.Task[None] | None = None
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
            await asyncio.to_thread(self._backend.make)
            await self._prepare()
        except self._away as error:
            mistake = self._backend.mistake(error)
            if mistake is not None:
                raise mistake from None
            self._tell_away(error)

    async def close(self) -> None:
        """End all connections."""
        if self._preparing is not None:
            await asyncio.wait({self._preparing})  # its thread cannot be cancelled
        await self._engine.dispose()
        await asyncio.to_thread(self._backend.clear)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads. Raises `Unavailable`."""
        async with self._transaction(writes=False) as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that changes something: all of it at the end of the block, or nothing.
        Raises `Unavailable`."""
        async with self._transaction(writes=True) as connection:
            yield connection

    async def forget(self) -> None:
        """Overwrite what was deleted, as far as the database offers that."""
        with self._in_time():
            async with asyncio.timeout(TIME_LIMIT_S):
                await self._ready()
                await self._backend.forget(self._engine)

    @asynccontextmanager
    async def _transaction(self, *, writes: bool) -> AsyncIterator[AsyncConnection]:
        with self._in_time():
            async with asyncio.timeout(TIME_LIMIT_S):
                await self._ready()
                async with self._engine.connect() as connection:
                    await connection.execution_options(writes=writes)
                    async with connection.begin():
                        yield connection

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        """What the block cannot do for the database's sake is `Unavailable`."""
        try:
            yield
        except (IntegrityError, DataError):
            raise  # ours
        except ConfigError as error:  # a newer program has upgraded it while this one runs
            self._tell_away(error)
            raise _unavailable() from None
        except self._away as error:
            self._prepared = None  # what comes back may be another one
            self._tell_away(error)
            raise _unavailable() from None
        if self._is_away:
            self._is_away = False
            log.info("database.back")

    async def _ready(self) -> None:
        identity = await asyncio.to_thread(self._backend.identity)
        if identity is None or identity != self._prepared:
            await self._prepare()

    async def _prepare(self) -> None:
        """All who wait for it share one attempt; it goes on when one of them gives up."""
        if self._preparing is None:
            self._preparing = asyncio.create_task(self._look_at_it())
            self._preparing.add_done_callback(self._prepared_or_not)
        await asyncio.shield(self._preparing)

    async def _look_at_it(self) -> None:
        identity = await asyncio.to_thread(self._backend.identity)
        await asyncio.to_thread(self._backend.clear)
        await asyncio.to_thread(migrate, self._backend)
        self._prepared = identity

    def _prepared_or_not(self, task: asyncio.Task[None]) -> None:
        self._preparing = None
        task.exception()  # told by whoever waited, if anybody still does

    def _tell_away(self, error: BaseException) -> None:
        """Once for each time that it goes away."""
        if not self._is_away:
            self._is_away = True
            log.warning("database.unavailable", reason=self._backend.reason(error))


def _unavailable() -> Unavailable:
    return Unavailable(
        "The database of users and keys cannot be used now.",
        action="Try again in a few seconds; the operator finds the reason in the log.",
        code="database_unavailable",
        retry_after_s=5,
    )
