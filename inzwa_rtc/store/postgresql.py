"""A database on a PostgreSQL server, which several servers of ours may share."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, NullPool, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from inzwa_rtc.errors import ConfigError
from inzwa_rtc.installation import pip_install
from inzwa_rtc.store.backend import WAIT_S

POOL = 5
"""Connections of one server. Requests take milliseconds and keys are remembered, so that five
serve thousands a second, and a PostgreSQL with its usual hundred serves twenty of ours."""

_UPGRADE_S = 60.0  # one statement of it, or the wait while another server upgrades

_LOCK = 0x696E7A7761  # any number that others on the same server are unlikely to take: "inzwa"

T = TypeVar("T")


class PostgreSQL:
    """The database at `address`, which is read as libpq's are: `?sslmode=`, several hosts,
    passwords from ~/.pgpass or PGPASSWORD and so on."""

    def __init__(self, address: str) -> None:
        try:
            # In an extra: most servers do without.
            self._driver: Any = importlib.import_module("asyncpg")
        except ModuleNotFoundError:
            raise ConfigError(
                "`database_url` names a PostgreSQL server; the package asyncpg is not installed.",
                action=f"Run: {pip_install('inzwa-rtc[postgresql]')}",
            ) from None
        self._address = address
        self.errors: tuple[type[Exception], ...] = (
            OSError,
            self._driver.PostgresError,
            self._driver.InterfaceError,
            self._driver.InternalClientError,
        )

    def engine(self) -> AsyncEngine:
        """As in `Backend`."""
        return create_async_engine(
            _DIALECT,
            async_creator=lambda: self._connected(WAIT_S),
            pool_size=POOL,
            max_overflow=0,
            pool_timeout=WAIT_S,
            pool_pre_ping=True,  # after a restart of PostgreSQL no request has to fail
            hide_parameters=True,  # errors are logged; whom they are about is not
        )

    def identity(self) -> str:
        """As in `Backend`: whichever answers at the address."""
        return _DIALECT

    def check_place(self) -> None:
        """As in `Backend`: only PostgreSQL itself can tell."""

    def make(self) -> None:
        """As in `Backend`: whoever runs the server makes its databases."""

    def clear(self) -> None:
        """As in `Backend`: nothing lies beside it."""

    def look(self, act: Callable[[Connection], T]) -> T:
        """As in `Backend`."""
        return asyncio.run(self._acted(act, WAIT_S))

    def upgrade(self, act: Callable[[Connection], None]) -> None:
        """As in `Backend`; others may be on other machines."""

        def alone(connection: Connection) -> None:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            act(connection)

        asyncio.run(self._acted(alone, _UPGRADE_S))

    async def forget(self, engine: AsyncEngine) -> None:
        """As in `Backend`: PostgreSQL reuses the room when it next vacuums, by itself."""

    def mistake(self, error: BaseException) -> ConfigError | None:
        """As in `Backend`."""
        cause = _cause(error)
        for kinds, message, action in (
            (
                self._driver.ClientConfigurationError,
                "`database_url` is no address of a PostgreSQL database.",
                "Write postgresql://user:password@host/database.",
            ),
            (
                self._driver.InvalidAuthorizationSpecificationError,
                "PostgreSQL does not know the user or the password of `database_url`.",
                "Correct them, or let that user in (pg_hba.conf).",
            ),
            (
                self._driver.InvalidCatalogNameError,
                "PostgreSQL has no database of the name that `database_url` gives.",
                "Correct it, or make the database: createdb NAME",
            ),
            (
                self._driver.InsufficientPrivilegeError,
                "The user of `database_url` may not make tables in that database.",
                "Make them its owner: ALTER DATABASE name OWNER TO user",
            ),
        ):
            if isinstance(cause, kinds):
                return ConfigError(message, action=action)
        return None

    def reason(self, error: BaseException) -> str:
        """As in `Backend`, such as ConnectionRefusedError or TooManyConnectionsError."""
        return type(_cause(error)).__name__

    async def _acted(self, act: Callable[[Connection], T], limit_s: float) -> T:
        """In a loop of its own, for a thread: asyncpg knows no other way."""
        engine = create_async_engine(
            _DIALECT,
            async_creator=lambda: self._connected(limit_s),
            poolclass=NullPool,
            hide_parameters=True,
        )
        try:
            async with engine.begin() as connection:
                return await connection.run_sync(act)
        finally:
            await engine.dispose()

    async def _connected(self, limit_s: float) -> Any:
        try:
            return await self._driver.connect(
                self._address,
                timeout=WAIT_S,
                command_timeout=limit_s,
                server_settings={"application_name": "inzwa-rtc"},
            )
        except (ValueError, OverflowError, TypeError) as error:
            # Of what cannot be an address some is told by Python itself.
            raise self._driver.ClientConfigurationError(type(error).__name__) from None


_DIALECT = "postgresql+asyncpg://"


def _cause(error: BaseException) -> BaseException:
    """The driver's own error, within SQLAlchemy's two."""
    wrapped = getattr(error, "orig", None)
    return error if wrapped is None else wrapped.__cause__ or wrapped
