"""How databases come to the tables of this version."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from zipfile import ZipFile

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from structlog.testing import capture_logs

from inzwa_rtc.errors import ConfigError, Unavailable
from inzwa_rtc.store import opened
from inzwa_rtc.store.address import backend
from inzwa_rtc.store.migrating import MIGRATIONS, configuration
from inzwa_rtc.store.tables import metadata

T = TypeVar("T")


async def on(url: str, act: Callable[[Connection], T]) -> T:
    """What `act` gives, in a transaction on the database."""
    place, given = backend(url), []
    place.make()
    await asyncio.to_thread(place.upgrade, lambda connection: given.append(act(connection)))
    return given[0]


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


async def test_migrations_make_the_very_tables_that_the_program_uses(url: str) -> None:
    async with opened(url):
        pass

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return list(compare_metadata(context, metadata))

    assert await on(url, differences) == []


def test_the_wheel_carries_them(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    with ZipFile(wheel) as files:
        packed = {name for name in files.namelist() if name.startswith("inzwa_rtc/store/")}
    root = MIGRATIONS.parents[2]
    here = {str(path.relative_to(root)) for path in MIGRATIONS.rglob("*.py")}
    assert len(here) >= 4
    assert here <= packed


async def test_an_old_database_is_upgraded_with_what_is_in_it(url: str) -> None:
    def first_version(connection: Connection) -> None:
        command.upgrade(configuration(connection), "0001")
        connection.execute(
            text(
                "INSERT INTO users (id, created_at, is_disabled, tts_speed)"
                " VALUES ('rudo', :now, :yes, 1.5)"
            ),
            {"now": datetime(2026, 1, 2, tzinfo=UTC), "yes": True},
        )

    await on(url, first_version)
    assert "api_keys" not in await on(url, tables)
    async with opened(url) as store:
        rudo = await store.users.get("rudo")
        assert (rudo.is_disabled, rudo.settings.tts_speed) == (True, 1.5)
        assert rudo.created_at == datetime(2026, 1, 2, tzinfo=UTC)
        await store.keys.create("phone", ["call"], "rudo")


async def test_an_upgrade_is_one_line_of_the_log(url: str) -> None:
    await on(url, lambda connection: command.upgrade(configuration(connection), "0001"))
    with capture_logs() as logged:
        for _ in range(2):
            async with opened(url):
                pass
    [line] = logged
    assert (line["event"], line["before"]) == ("database.upgraded", "0001")
    assert line["now"] > "0001"


async def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(url: str) -> None:
    async with opened(url) as store:
        await store.users.set_disabled("rudo", True)

    def version(connection: Connection) -> str:
        return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar())

    def newer(connection: Connection) -> None:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    await on(url, newer)
    with pytest.raises(ConfigError, match="newer version"):
        async with opened(url):
            pass
    assert await on(url, version) == "9999"


async def test_one_that_is_upgraded_past_a_running_server_is_not_written_to_by_it(
    url: str,
) -> None:
    """Once the server looks again, which it does when it has met with an error."""
    async with opened(url) as store:

        def newer(connection: Connection) -> None:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
            connection.execute(text("ALTER TABLE users RENAME TO people"))

        await on(url, newer)
        for _ in range(2):
            with pytest.raises(Unavailable):
                await store.users.get("rudo")


async def test_servers_that_start_at_the_same_time_upgrade_it_once(url: str) -> None:
    """Each in a thread with a loop of its own; PostgreSQL and SQLite see no difference from
    processes."""
    together = threading.Barrier(4)

    def start(number: int) -> str:
        async def server() -> str:
            async with opened(url) as store:
                return (await store.users.change(f"user-{number}", tts_speed=1.5)).id

        together.wait()
        return asyncio.run(server())

    assert await asyncio.gather(*(asyncio.to_thread(start, n) for n in range(4))) == [
        f"user-{n}" for n in range(4)
    ]
    async with opened(url) as store:
        assert len(await store.users.listed()) == 4


async def test_a_failed_upgrade_leaves_nothing_half_done(url: str) -> None:
    """A table that stands in the way of the second step: the first one is undone as well."""

    def in_the_way(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE api_keys (id INTEGER)"))

    def out_of_the_way(connection: Connection) -> None:
        connection.execute(text("DROP TABLE api_keys"))

    await on(url, in_the_way)
    async with opened(url) as store:
        with pytest.raises(Unavailable):
            await store.keys.any()
        assert "users" not in await on(url, tables)
        await on(url, out_of_the_way)
        assert not await store.keys.any()
