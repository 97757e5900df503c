"""A PostgreSQL server that is away, stuck or locked, and comes back."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from inzwa_rtc.errors import ConfigError, Unavailable
from inzwa_rtc.store import Away, Store, opened
from inzwa_rtc.store.address import backend
from tests.support import postgres as support
from tests.support.postgres import PASSWORD, Postgres, postgres
from tests.support.process import free_port


@pytest.fixture
def server() -> Iterator[Postgres]:
    """One of the test's own, which it may stop."""
    with postgres() as own:
        yield own


async def assert_away(store: Store) -> None:
    for asked in (
        store.users.get("rudo"),
        store.users.change("rudo", tts_speed=2.0),
        store.keys.create("a", ["call"]),
        store.keys.any(),
    ):
        with pytest.raises(Unavailable) as refused:
            await asked
        assert (refused.value.code, refused.value.retry_after_s) == ("database_unavailable", 5)
        assert PASSWORD not in str(refused.value)


async def assert_all_is_as_it_was(store: Store) -> None:
    assert (await store.users.get("rudo")).settings.tts_speed == 1.5
    assert not await store.keys.any()
    await store.users.change("rudo", tts_speed=1.5)


async def test_it_is_used_again_once_it_is_back_after_a_crash(server: Postgres) -> None:
    async with opened(server.new_database()) as store:
        await store.users.change("rudo", tts_speed=1.5)
        for _ in range(2):
            server.stop()
            await assert_away(store)
            server.start()
            await assert_all_is_as_it_was(store)


async def test_what_comes_up_after_the_server_is_upgraded_before_its_first_use(
    server: Postgres,
) -> None:
    url = server.new_database()
    server.stop()
    async with opened(url) as store:
        await assert_away(store)
        server.start()
        await store.users.change("rudo", tts_speed=1.5)
        await assert_all_is_as_it_was(store)


async def test_one_that_answers_nothing_is_given_up_in_the_midst_of_it(server: Postgres) -> None:
    async with opened(server.new_database()) as store:
        await store.users.change("rudo", tts_speed=1.5)
        server.freeze()
        await assert_away(store)
        server.thaw()
        await assert_all_is_as_it_was(store)


async def test_requests_that_wait_for_it_at_the_same_time_are_all_given_up(
    server: Postgres,
) -> None:
    """Many more than there are connections."""
    async with opened(server.new_database()) as store:
        await store.users.change("rudo", tts_speed=1.5)
        server.freeze()
        answers = await asyncio.gather(
            *(store.users.get("rudo") for _ in range(50)), return_exceptions=True
        )
        assert {type(answer) for answer in answers} == {Away}
        server.thaw()
        await assert_all_is_as_it_was(store)


async def test_connections_that_it_has_ended_harm_no_request(postgres_server: Postgres) -> None:
    async with opened(postgres_server.new_database()) as store:
        await store.users.change("rudo", tts_speed=1.5)
        postgres_server.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'inzwa-rtc'"
        )
        await assert_all_is_as_it_was(store)


async def test_a_table_that_somebody_has_locked_is_not_waited_for(
    postgres_server: Postgres,
) -> None:
    url = postgres_server.new_database()
    async with opened(url) as store:
        await store.users.change("rudo", tts_speed=1.5)
        other = backend(url).engine()
        async with other.begin() as connection:
            await connection.execute(text("LOCK TABLE users, api_keys IN ACCESS EXCLUSIVE MODE"))
            await assert_away(store)
        await other.dispose()
        await assert_all_is_as_it_was(store)


async def test_a_database_that_was_made_anew_is_given_its_tables(
    postgres_server: Postgres,
) -> None:
    url = postgres_server.new_database()
    name = url.rpartition("/")[2]
    async with opened(url) as store:
        await store.users.change("rudo", tts_speed=1.5)
        postgres_server.sql(f"DROP DATABASE {name} WITH (FORCE)")
        await assert_away(store)
        postgres_server.sql(f"CREATE DATABASE {name}")
        assert await store.users.listed() == []
        await store.users.change("rudo", tts_speed=1.5)


async def test_only_so_many_connections_are_made(postgres_server: Postgres) -> None:
    url = postgres_server.new_database()
    async with opened(url) as store:
        await asyncio.gather(*(store.users.change(f"user-{n}", tts_speed=2.0) for n in range(50)))
        count = postgres_server.sql(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'inzwa-rtc'"
            f" AND datname = '{url.rpartition('/')[2]}'"
        )
        assert int(count) == 5
        assert len(await store.users.listed()) == 50


async def test_a_wrong_password_or_database_is_the_operators_to_correct(
    postgres_server: Postgres,
) -> None:
    for url in (
        postgres_server.url(password="canary-wrong"),
        postgres_server.url("no_such_database"),
        postgres_server.url().replace("tests:", "no_such_user:"),
        "postgresql://tests:canary-password@localhost:port/postgres",
        "postgresql://tests:canary-password@[::1/postgres",
        "postgresql://tests:canary-password@localhost/postgres?sslmode=canary",
    ):
        with pytest.raises(ConfigError) as refused:
            async with opened(url):
                pass
        assert "canary" not in str(refused.value)
        assert refused.value.action


def test_the_tests_own_server_leaves_a_port_to_whoever_has_taken_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = [free_port(), taken.getsockname()[1]]
        monkeypatch.setattr(support, "free_port", ports.pop)
        with postgres() as own:
            assert own.sql("SELECT 1") == "1"
            assert not ports
