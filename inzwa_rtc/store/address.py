"""Where the database is."""

from __future__ import annotations

from pathlib import Path

from inzwa_rtc.errors import ConfigError
from inzwa_rtc.store.backend import Backend
from inzwa_rtc.store.postgresql import PostgreSQL
from inzwa_rtc.store.sqlite import OwnSQLite, SQLite


def backend(place: str | Path) -> Backend:
    """The database at the URL `sqlite:///PATH` (four slashes: from the root) or
    `postgresql://...`, or in a file of our own choosing. Raises `ConfigError`, which never
    repeats the URL: it may hold a password."""
    if isinstance(place, Path):
        return OwnSQLite(place)
    scheme, separator, rest = place.partition("://")
    if separator and scheme in ("sqlite", "sqlite+aiosqlite"):
        return SQLite(_path(rest))
    if separator and rest and scheme in ("postgresql", "postgres", "postgresql+asyncpg"):
        return PostgreSQL(f"postgresql://{rest}")
    raise _wrong("is of no kind that is known here")


def _path(rest: str) -> Path:
    if not rest.startswith("/") or len(rest) < 2 or set(rest) & set("?#\0"):
        raise _wrong("names no file")
    return Path(rest[1:])


def _wrong(what: str) -> ConfigError:
    return ConfigError(
        f"`database_url` {what}.",
        action="Write sqlite:///folder/inzwa.db (sqlite:////folder from the root), or "
        "postgresql://user:password@host/database.",
    )
