"""Brings a database to the tables of this version. All of it blocks: for a thread."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from inzwa_rtc.errors import ConfigError
from inzwa_rtc.store.backend import Backend

MIGRATIONS = Path(__file__).parent / "migrations"

log = structlog.get_logger(__name__)

State = Literal["none", "old", "current"]
"""Not there; to be upgraded; as this version needs it."""


def state(backend: Backend) -> State:
    """How the database is, which is left as it is. Raises as `migrate`."""
    if backend.identity() is None:
        backend.check_place()
        return "none"
    return "current" if backend.look(_is_current) else "old"


def migrate(backend: Backend) -> None:
    """Upgrade the database where it needs it; nothing is half done when that fails.

    Raises `ConfigError` where a newer version of the program has been at it, and what the
    drivers raise.
    """
    # Nearly always it is at its newest: a look that waits for nobody will do.
    if backend.look(_is_current):
        return
    before: set[str] = set()

    def to_newest(connection: Connection) -> None:
        if not _is_current(connection):  # another server may have done it while we waited
            before.update(_heads(connection))
            command.upgrade(configuration(connection), "head")

    backend.upgrade(to_newest)
    if before:  # else it is new
        newest = ScriptDirectory(str(MIGRATIONS)).get_heads()
        log.info("database.upgraded", before=" ".join(sorted(before)), now=" ".join(newest))


def configuration(connection: Connection) -> Config:
    """Alembic's, for our migrations over `connection`."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _is_current(connection: Connection) -> bool:
    """Raises `ConfigError` for a database that a newer program made."""
    scripts = ScriptDirectory.from_config(configuration(connection))
    there = _heads(connection)
    if there - {script.revision for script in scripts.walk_revisions()}:
        raise ConfigError(
            "The database was made by a newer version of Inzwa RTC, which this one cannot read.",
            action="Run that version, or give this one a database of its own: `database_url`.",
            code="database_newer",
        )
    return there == set(scripts.get_heads())


def _heads(connection: Connection) -> set[str]:
    """The revisions that the database is at; none for one without tables."""
    return set(MigrationContext.configure(connection).get_current_heads())
