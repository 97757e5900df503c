"""A SQLite file that is locked, away, broken or another one, and comes back."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from alembic import command

from inzwa_rtc.errors import ConfigError, Unavailable
from inzwa_rtc.store import Store, opened
from inzwa_rtc.store.migrating import configuration
from inzwa_rtc.store.sqlite import SQLite


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "inzwa.db"


@pytest.fixture
async def store(file: Path) -> AsyncIterator[Store]:
    async with opened(file) as opened_store:
        await opened_store.users.change("rudo", tts_speed=1.5)
        yield opened_store


@contextmanager
def another_writes(file: Path) -> Iterator[None]:
    """Another process is in the midst of writing."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def assert_nothing_works(store: Store) -> None:
    unknown = "inzwa_" + "a" * 12 + "_" + "a" * 43
    for asked in (
        store.users.get("rudo"),
        store.users.change("rudo", tts_speed=2.0),
        store.users.set_disabled("rudo", True),
        store.users.listed(),
        store.users.delete("rudo"),
        store.keys.create("a", ["call"]),
        store.keys.listed(),
        store.keys.revoke("a" * 12),
        store.keys.find(unknown),
        store.keys.any(),
    ):
        with pytest.raises(Unavailable) as refused:
            await asked
        assert (refused.value.code, refused.value.retry_after_s) == ("database_unavailable", 5)


async def assert_all_is_as_it_was(store: Store) -> None:
    rudo = await store.users.get("rudo")
    assert (rudo.is_disabled, rudo.settings.tts_speed) == (False, 1.5)
    assert not await store.keys.any()
    await store.users.change("rudo", tts_speed=1.5)


async def test_while_another_writes_reading_goes_on_and_writing_is_refused(
    store: Store, file: Path
) -> None:
    with another_writes(file):
        with pytest.raises(Unavailable):
            await store.users.change("rudo", tts_speed=2.0)
        assert (await store.users.get("rudo")).settings.tts_speed == 1.5
    await assert_all_is_as_it_was(store)


async def test_who_is_deleted_after_whoever_asked_has_left_is_forgotten_all_the_same(
    store: Store, file: Path
) -> None:
    forgotten = asyncio.Event()
    store.users.when_deleted(lambda _: forgotten.set())
    with another_writes(file):
        asked = asyncio.create_task(store.users.delete("rudo"))
        await asyncio.sleep(0)  # it has begun
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert not forgotten.is_set()
    async with asyncio.timeout(10):
        await forgotten.wait()
    assert await store.users.find("rudo") is None


async def test_a_file_that_is_locked_at_the_start_is_used_once_it_is_free(file: Path) -> None:
    async with opened(file) as store:
        await store.users.change("rudo", tts_speed=1.5)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        async with opened(file) as store:
            with pytest.raises(Unavailable):
                await store.users.get("rudo")
            with pytest.raises(Unavailable):
                await store.users.change("rudo", tts_speed=2.0)
            other.close()
            await assert_all_is_as_it_was(store)


async def test_a_file_that_is_gone_is_missed_not_made_anew(store: Store, file: Path) -> None:
    """A new one would know no keys, and a server without keys may be open."""
    away = file.with_name("away.db")
    for _ in range(2):
        moved(file, away)
        await assert_nothing_works(store)
        assert file.name not in contents(file.parent)
        moved(away, file)
        await assert_all_is_as_it_was(store)


async def test_a_backup_that_is_put_in_its_place_counts_at_once(
    store: Store, file: Path, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.db"
    async with opened(f"sqlite:///{backup}") as earlier:
        await earlier.users.change("rudo", tts_speed=0.5)
    moved(backup, file)
    assert (await store.users.get("rudo")).settings.tts_speed == 0.5
    await store.users.change("rudo", tts_voice="one")
    assert (await store.users.get("rudo")).settings.tts_speed == 0.5


async def test_a_backup_of_an_older_version_is_upgraded_where_it_is_put(
    store: Store, file: Path, tmp_path: Path
) -> None:
    backup = SQLite(tmp_path / "backup.db")
    backup.make()
    backup.upgrade(lambda connection: command.upgrade(configuration(connection), "0001"))
    moved(tmp_path / "backup.db", file)
    assert await store.users.listed() == []
    await store.keys.create("application", ["call"])


async def test_a_file_that_is_no_database_is_left_alone_until_it_is_replaced(file: Path) -> None:
    written(file, b"no database at all, whatever its name says" * 1000)
    before = contents(file.parent)
    async with opened(file) as store:
        await assert_nothing_works(store)
        assert contents(file.parent) == before
        good = file.with_name("good.db")
        async with opened(f"sqlite:///{good}") as other:
            await other.users.change("rudo", tts_speed=1.5)
        moved(good, file)
        await assert_all_is_as_it_was(store)


async def test_a_folder_that_cannot_be_made_is_waited_for(tmp_path: Path) -> None:
    """Such as a disk that is not mounted yet."""
    in_the_way = tmp_path / "mounted"
    written(in_the_way, b"")
    async with opened(in_the_way / "inzwa.db") as store:
        await assert_nothing_works(store)
        moved(in_the_way, tmp_path / "away")
        await store.users.change("rudo", tts_speed=1.5)
        await assert_all_is_as_it_was(store)


async def test_a_folder_that_the_operator_wrote_is_not_made(tmp_path: Path) -> None:
    """It may be misspelt: a new database there would know no keys."""
    there = tmp_path / "data"
    there.mkdir()
    async with opened(f"sqlite:///{there}/inzwa.db") as store:
        await store.keys.create("application", ["call"])
    for url in (f"sqlite+aiosqlite:///{tmp_path}/dta/inzwa.db", f"sqlite:///{there}/dta/x/i.db"):
        with pytest.raises(ConfigError, match="dta") as refused:
            async with opened(url):
                pass
        assert "mkdir -p" in refused.value.action
    assert not (tmp_path / "dta").exists() and not (there / "dta").exists()


async def test_only_its_owner_may_read_it(store: Store, file: Path) -> None:
    await store.users.get("rudo")
    assert mode(file.parent) == 0o700
    modes = {name: mode(file.with_name(name)) for name in contents(file.parent)}
    assert {"inzwa.db", "inzwa.db-wal", "inzwa.db-shm"} <= set(modes)
    assert set(modes.values()) == {0o600}


async def test_of_a_user_who_was_deleted_no_file_holds_a_trace(store: Store, file: Path) -> None:
    def traces() -> list[str]:
        return [name for name, held in contents(file.parent).items() if b"canary" in held]

    for number in range(100):  # more than fits into one page
        await store.users.change(f"canary-{number}", tts_voice="canary-voice")
    await store.keys.create("canary-phone", ["call"], "canary-7")
    assert traces()
    for number in range(100):
        await store.users.delete(f"canary-{number}")
    assert traces() == []
    assert await store.keys.listed() == []


async def test_no_file_stays_open_when_the_store_is_closed(file: Path) -> None:
    async with opened(file) as store:
        await store.users.change("rudo", tts_speed=1.5)
        assert open_below(file.parent)
    assert not open_below(file.parent)


def moved(file: Path, to: Path) -> None:
    file.replace(to)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def written(file: Path, content: bytes) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def open_below(folder: Path) -> list[str]:
    """Files below the folder that this process has open."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            target = str(link.readlink())
        except FileNotFoundError:
            continue  # the listing's own
        if target.startswith(str(folder)):
            found.append(target)
    return found
