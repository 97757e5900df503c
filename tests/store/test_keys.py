"""API keys, in either database."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from inzwa_rtc.errors import PeerError
from inzwa_rtc.store import Store, opened
from inzwa_rtc.store.address import backend
from inzwa_rtc.store.database import Database
from inzwa_rtc.store.keys import FOUND_MOST, FOUND_S, Keys


def contents(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def moved(file: Path, to: Path) -> None:
    file.replace(to)


class Clock:
    """The time, as the test has it."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.passed_s)

    def timer(self) -> float:
        return self.passed_s


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    async with opened(url) as opened_store:
        yield opened_store


async def test_a_key_is_found_by_what_its_holder_sends_and_outlives_the_server(url: str) -> None:
    async with opened(url) as store:
        made, secret = await store.keys.create("application", ["call", "admin"])
        assert await store.keys.find(secret) == made
    async with opened(url) as store:
        assert await store.keys.find(secret) == made
        assert await store.keys.listed() == [made]
    assert (made.name, made.scopes, made.user) == (
        "application",
        frozenset(["call", "admin"]),
        None,
    )
    assert (made.revoked_at, made.expires_at) == (None, None)
    assert datetime.now(UTC) - made.created_at < timedelta(minutes=1)


async def test_keys_are_long_random_and_tell_what_they_are(store: Store) -> None:
    made = [await store.keys.create("a", ["call"]) for _ in range(20)]
    for key, secret in made:
        assert re.fullmatch(rf"inzwa_{key.id}_[\w-]{{43}}", secret, re.ASCII)
    assert len({secret.split("_", 2)[2] for _, secret in made}) == 20
    assert len({key.id for key, _ in made}) == 20


async def test_nothing_that_is_kept_lets_anybody_in(tmp_path: Path) -> None:
    async with opened(f"sqlite:///{tmp_path / 'inzwa.db'}") as store:
        key, secret = await store.keys.create("application", ["admin"])
        own = secret.split("_", 2)[2]
        assert own.encode() not in contents(tmp_path)
        assert key.id.encode() in contents(tmp_path)
        assert own not in repr(key)


@pytest.mark.parametrize(
    "change",
    [
        lambda secret: secret[:-1] + ("A" if secret[-1] != "A" else "B"),
        lambda secret: secret + "A",
        lambda secret: secret[:-1],
        lambda secret: secret.replace("inzwa_", "other_"),
        lambda secret: secret.upper(),
        lambda secret: " " + secret,
        lambda secret: secret.split("_")[2],
        lambda secret: "_".join(secret.split("_")[:2]) + "_",
        lambda secret: secret[:-1] + "\x00",
        lambda secret: secret[:-1] + "\ud800",
        lambda secret: secret[:10] + "\x00" + secret[11:],
        lambda _: "",
        lambda _: "inzwa",
        lambda _: "inzwa_" + "a" * 12 + "_" + "a" * 43,
        lambda _: "_" * 1000,
    ],
)
async def test_what_is_not_the_key_finds_nothing(store: Store, change: object) -> None:
    assert callable(change)
    _, secret = await store.keys.create("application", ["call"])
    assert await store.keys.find(secret)
    assert await store.keys.find(change(secret)) is None


async def test_a_key_that_is_revoked_works_no_more_at_once(store: Store) -> None:
    key, secret = await store.keys.create("application", ["call"])
    assert await store.keys.find(secret)
    revoked = await store.keys.revoke(key.id)
    assert await store.keys.find(secret) is None
    assert revoked is not None
    assert revoked.revoked_at is not None
    assert await store.keys.listed() == [revoked]
    assert await store.keys.revoke(key.id) == revoked  # when it was first
    for unknown in ("a" * 12, "", "a\x00", "\ud800"):
        assert await store.keys.revoke(unknown) is None


async def test_a_key_that_is_revoked_while_it_is_looked_up_is_not_remembered(url: str) -> None:
    async with opened(url) as store:
        for _ in range(20):
            key, secret = await store.keys.create("application", ["call"])
            await asyncio.gather(store.keys.find(secret), store.keys.revoke(key.id))
            assert await store.keys.find(secret) is None


async def test_a_key_that_another_process_revokes_works_for_seconds_at_most(url: str) -> None:
    clock = Clock()
    database = Database(backend(url))
    await database.open()
    try:
        here = Keys(database, timer=clock.timer)
        async with opened(url) as elsewhere:
            key, secret = await elsewhere.keys.create("application", ["call"])
            assert await here.find(secret)
            await elsewhere.keys.revoke(key.id)
            clock.passed_s = FOUND_S / 2
            assert await here.find(secret)  # as it was found before: no question is asked
            clock.passed_s = FOUND_S
            assert await here.find(secret) is None
    finally:
        await database.close()


async def test_a_key_expires_though_it_was_found_a_moment_before(url: str) -> None:
    clock = Clock()
    database = Database(backend(url))
    await database.open()
    try:
        keys = Keys(database, now=clock.now, timer=lambda: 0.0)
        _, secret = await keys.create("a", ["call"], expires_at=clock.now() + timedelta(days=1))
        clock.passed_s = 86_399
        found = await keys.find(secret)
        assert found is not None
        assert found.expires_at == datetime(2026, 1, 2, tzinfo=UTC)
        clock.passed_s = 86_400
        assert await keys.find(secret) is None
        assert await keys.any()  # a server does not become open because its last key expired
    finally:
        await database.close()


async def test_a_key_that_was_found_is_not_asked_for_again(tmp_path: Path) -> None:
    file = tmp_path / "inzwa.db"
    async with opened(f"sqlite:///{file}") as store:
        _, secret = await store.keys.create("application", ["call"])
        found = await store.keys.find(secret)
        moved(file, tmp_path / "away.db")
        assert await store.keys.find(secret) == found
        assert await store.keys.find(f"{secret[:-4]}nope") is None


async def test_found_keys_are_remembered_in_bounds(tmp_path: Path) -> None:
    async with opened(f"sqlite:///{tmp_path / 'inzwa.db'}") as store:
        assert store.keys._found.maxsize == FOUND_MOST


async def test_keys_are_there_or_not(store: Store) -> None:
    assert not await store.keys.any()
    key, _ = await store.keys.create("application", ["call"])
    assert await store.keys.any()
    await store.keys.revoke(key.id)
    assert not await store.keys.any()


async def test_a_key_may_be_bound_to_somebody_who_was_not_there_yet(store: Store) -> None:
    key, secret = await store.keys.create("phone", ["call"], "rudo")
    found = await store.keys.find(secret)
    assert found is not None
    assert found.user == key.user == "rudo"
    assert [user.id for user in await store.users.listed()] == ["rudo"]


@pytest.mark.parametrize(
    ("name", "scopes", "user"),
    [
        ("", ["call"], None),
        ("a\x00", ["call"], None),
        ("a" * 201, ["call"], None),
        ("a", [], None),
        ("a", ["root"], None),
        ("a", ["call", ""], None),
        ("a", ["call"], ""),
        ("a", ["call"], "\ud800"),
    ],
)
async def test_a_key_that_cannot_be_is_refused(
    store: Store, name: str, scopes: list[str], user: str | None
) -> None:
    with pytest.raises(PeerError):
        await store.keys.create(name, scopes, user)
    assert not await store.keys.any()
