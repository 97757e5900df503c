"""Calls of users from whom voice is taken, or who are deleted, behind this server's back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from inzwa_rtc.store import opened
from inzwa_rtc.users import User
from signaling import withdrawal
from signaling.withdrawal import Withdrawal
from tests.support.server import serving


@asynccontextmanager
async def calling(url: str, secret: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A call of the holder of this key, which has begun."""
    headers = {"Authorization": f"Bearer {secret}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        async with http.ws_connect(f"{url}/v1/ws") as call:
            await call.send_json({"type": "start", "codec": "pcm16", "sample_rate": 16000})
            async with asyncio.timeout(20):
                assert (await call.receive_json())["type"] == "session.started"
            yield call


async def ended(call: aiohttp.ClientWebSocketResponse) -> None:
    async with asyncio.timeout(20):
        async for _ in call:
            pass
    assert call.closed


async def test_calls_end_when_another_process_takes_voice_from_their_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(withdrawal, "EVERY_S", 0.01)
    url = f"sqlite:///{tmp_path / 'inzwa.db'}"
    async with serving(database_url=url) as server, opened(url) as elsewhere:
        _, rudo = await server.store.keys.create("phone", ["call"], "rudo")
        _, stays = await server.store.keys.create("phone", ["call"], "stays")
        async with calling(server.url, rudo) as call, calling(server.url, stays):
            assert server.calls.users == {"rudo", "stays"}
            await elsewhere.users.set_disabled("rudo", True)
            await ended(call)
            assert server.calls.users == {"stays"}


async def test_calls_end_when_another_process_deletes_their_user(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'inzwa.db'}"
    async with serving(database_url=url) as server, opened(url) as elsewhere:
        _, rudo = await server.store.keys.create("phone", ["call"], "rudo")
        _, stays = await server.store.keys.create("phone", ["call"], "stays")
        watched = Withdrawal(server.store.users, server.calls)
        async with calling(server.url, rudo) as call, calling(server.url, stays):
            await watched.look()
            await elsewhere.users.delete("rudo")
            await watched.look()
            await ended(call)
            assert server.calls.users == {"stays"}


async def test_calls_end_of_a_user_who_is_deleted_before_the_first_look(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'inzwa.db'}"
    async with serving(database_url=url) as server, opened(url) as elsewhere:
        _, rudo = await server.store.keys.create("phone", ["call"], "rudo")
        watched = Withdrawal(server.store.users, server.calls)
        async with calling(server.url, rudo) as call:
            await elsewhere.users.delete("rudo")
            await watched.look()
            await ended(call)


async def test_calls_of_users_of_whom_nothing_is_kept_go_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'inzwa.db'}"
    async with serving(database_url=url) as server:
        told: list[str] = []

        class Calling:
            users = ("nobody", "rudo")

            def end_of_user(self, user: str) -> None:
                told.append(user)

        watched = Withdrawal(server.store.users, Calling(), lambda: ["nobody"])
        await server.store.users.change("rudo", tts_speed=1.5)
        for _ in range(3):
            await watched.look()
        assert told == []


async def test_one_fault_does_not_end_the_watch_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(withdrawal, "EVERY_S", 0.0)
    looked = asyncio.Event()
    faults = [RuntimeError("of the driver")]

    class Calls:
        @property
        def users(self) -> set[str]:
            if faults:
                raise faults.pop()
            looked.set()
            return set()

        def end_of_user(self, user: str) -> None:
            raise AssertionError("there is nobody")

    class Users:
        async def known(self, user_ids: Collection[str]) -> list[User]:
            return []

        async def forget_gone(self, user_ids: Collection[str]) -> None: ...

    watching = asyncio.create_task(Withdrawal(Users(), Calls()).watch())
    async with asyncio.timeout(20):
        await looked.wait()
    watching.cancel()


async def test_nothing_keeps_the_name_of_whom_another_process_deletes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deleted before anybody looked: that something was kept is known from their own requests."""
    url = f"sqlite:///{tmp_path / 'inzwa.db'}"
    monkeypatch.setattr(withdrawal, "EVERY_S", 0.01)
    async with serving(database_url=url) as server, opened(url) as elsewhere:
        _, rudo = await server.store.keys.create("phone", ["call"], "rudo")
        spending = server.calls._switchboard.now.spending
        for user in ("rudo", "nobody is known by this"):
            spending.count(user, "engine", "model", 100)
        async with calling(server.url, rudo):
            pass
        await server.calls.all_ended()
        assert server.calls.tokens.users == {"rudo"}
        total, forgotten = spending.total(), asyncio.Event()
        server.store.users.when_deleted(lambda _: forgotten.set())
        await elsewhere.users.delete("rudo")
        async with asyncio.timeout(20):
            await forgotten.wait()
        assert server.calls.tokens.users == set()
        assert spending.users() == ("nobody is known by this",)
        assert spending.total() == total
