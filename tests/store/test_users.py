"""Users and what they have chosen, in either database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from traceback import format_exception
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from inzwa_rtc.errors import PeerError
from inzwa_rtc.store import Store, opened
from inzwa_rtc.store.tables import users
from inzwa_rtc.users import UserSettings


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    async with opened(url) as opened_store:
        yield opened_store


async def test_somebody_unknown_has_the_servers_defaults_and_is_not_written_down(
    url: str,
) -> None:
    async with opened(url, "tts_only") as store:
        user = await store.users.get("somebody")
        assert (user.id, user.is_disabled) == ("somebody", False)
        assert user.settings == UserSettings(voice_mode="tts_only")
        assert await store.users.listed() == []


async def test_what_is_changed_outlives_the_server(url: str) -> None:
    changes: dict[str, Any] = {
        "voice_mode": "transcribe_only",
        "tts_voice": "sn-voice",
        "tts_speed": 1.25,
        "tts_format": "mp3",
        "auto_play": False,
        "stt_language": "sn",
    }
    started = datetime.now(UTC)
    async with opened(url) as store:
        changed = await store.users.change("rudo", **changes)
    assert changed.settings == UserSettings(**changes)
    assert started <= changed.created_at <= datetime.now(UTC)
    async with opened(url) as store:
        assert await store.users.get("rudo") == changed


async def test_a_change_leaves_what_else_was_chosen(store: Store) -> None:
    await store.users.change("rudo", tts_voice="one", tts_speed=2.0)
    await store.users.change("rudo", tts_voice="two")
    assert (await store.users.get("rudo")).settings == UserSettings(tts_voice="two", tts_speed=2.0)


async def test_who_has_not_chosen_a_mode_follows_the_server_when_it_changes_its_own(
    url: str,
) -> None:
    async with opened(url, "conversation") as store:
        await store.users.change("follows", tts_speed=0.5)
        await store.users.change("chose", voice_mode="conversation")
        await store.users.change("chose no more", voice_mode="conversation")
        await store.users.change("chose no more", voice_mode=None)
    async with opened(url, "disabled") as store:
        modes = {user.id: user.settings.voice_mode for user in await store.users.listed()}
    assert modes == {"follows": "disabled", "chose": "conversation", "chose no more": "disabled"}


async def test_an_administrator_takes_voice_from_a_user_and_gives_it_back(store: Store) -> None:
    await store.users.change("rudo", tts_speed=2.0)
    taken = await store.users.set_disabled("rudo", True)
    assert taken.is_disabled
    assert await store.users.get("rudo") == taken
    assert (await store.users.change("rudo", tts_speed=1.5)).is_disabled
    assert not (await store.users.set_disabled("rudo", False)).is_disabled
    assert (await store.users.set_disabled("nobody yet", True)).is_disabled


async def test_changes_at_the_same_time_are_all_kept(store: Store) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(10):
            group.create_task(store.users.change(f"user-{number % 2}", tts_voice="a"))
            group.create_task(store.users.change(f"user-{number % 2}", tts_speed=2.0))
    for user in await store.users.listed():
        assert user.settings == UserSettings(tts_voice="a", tts_speed=2.0)
    assert len(await store.users.listed()) == 2


async def test_who_is_deleted_while_something_is_written_of_them_is_there_or_not(
    store: Store,
) -> None:
    """Each request is done as if it were alone, in whatever order."""
    for _ in range(10):
        await asyncio.gather(
            store.users.change("rudo", tts_speed=2.0),
            store.users.delete("rudo"),
            store.keys.create("phone", ["call"], "rudo"),
            store.users.delete("rudo"),
            store.users.change("rudo", tts_voice="one"),
        )
        rudo = await store.users.find("rudo")
        assert rudo is not None or await store.keys.listed() == []


async def test_a_mistake_of_the_programs_is_told_without_whom_it_is_about(store: Store) -> None:
    """It is logged with its trace."""

    async def twice(connection: AsyncConnection) -> None:
        row = {"id": "canary", "created_at": datetime.now(UTC), "tts_voice": "canary"}
        await connection.execute(users.insert().values(**row))
        await connection.execute(users.insert().values(**row))

    with pytest.raises(RuntimeError) as mistake:
        await store.users._database.write(twice)
    assert "canary" not in "".join(format_exception(mistake.value))
    assert await store.users.listed() == []


async def test_a_request_that_is_given_up_midway_harms_no_other(store: Store) -> None:
    """As when a client hangs up, at each of the places where it may have to wait."""
    await store.users.change("rudo", tts_voice="before", tts_speed=1.0)
    for turns in range(40):
        change = asyncio.create_task(store.users.change("rudo", tts_voice="after", tts_speed=2.0))
        for _ in range(turns):
            await asyncio.sleep(0)
        change.cancel()
        await asyncio.wait({change})
        settings = (await store.users.get("rudo")).settings
        assert (settings.tts_voice, settings.tts_speed) in (("before", 1.0), ("after", 2.0))
        await store.users.change("rudo", tts_voice="before", tts_speed=1.0)
    await asyncio.gather(*(store.users.get("rudo") for _ in range(20)))


async def test_users_are_listed_a_page_at_a_time(store: Store) -> None:
    names = [f"user-{number:02}" for number in range(5)]
    for name in reversed(names):
        await store.users.set_disabled(name, False)
    first = await store.users.listed(None, 2)
    second = await store.users.listed(first[-1].id, 2)
    last = await store.users.listed(second[-1].id, 2)
    assert [user.id for user in [*first, *second, *last]] == names
    assert await store.users.listed(names[-1], 2) == []
    assert await store.users.listed(None, 0) == []


async def test_a_user_who_is_deleted_is_unknown_again(store: Store) -> None:
    await store.users.change("rudo", tts_voice="one")
    await store.users.set_disabled("rudo", True)
    await store.users.change("stays", tts_voice="one")
    _, bound = await store.keys.create("phone", ["call"], "rudo")
    _, other = await store.keys.create("application", ["call"])
    assert await store.keys.find(bound)
    await store.users.delete("rudo")
    assert (await store.users.get("rudo")).settings == UserSettings()
    assert not (await store.users.get("rudo")).is_disabled
    assert await store.keys.find(bound) is None
    assert await store.keys.find(other)
    assert [key.name for key in await store.keys.listed()] == ["application"]
    assert [user.id for user in await store.users.listed()] == ["stays"]


async def test_whoever_keeps_something_of_users_elsewhere_is_told_whom_to_forget(
    store: Store,
) -> None:
    forgotten: list[str] = []
    store.users.when_deleted(forgotten.append)
    await store.users.delete("rudo")
    assert forgotten == ["rudo"]


async def test_who_was_deleted_elsewhere_is_told_to_them_as_well(store: Store, url: str) -> None:
    forgotten: list[str] = []
    store.users.when_deleted(forgotten.append)
    for name in ("rudo", "stays"):
        await store.users.change(name, tts_speed=1.5)
    everybody = ("rudo", "stays", "nothing is kept of this one")
    await store.users.forget_gone(everybody)
    assert forgotten == []
    async with opened(url) as elsewhere:
        await elsewhere.users.delete("rudo")
    for _ in range(2):
        await store.users.forget_gone(everybody)
    assert forgotten == ["rudo"]


@pytest.mark.parametrize(
    "name", ["", "a" * 201, "a\x00b", "\ud800", "a\nb", "\u202eabc", ".", ".."]
)
async def test_what_cannot_be_a_name_is_refused(store: Store, name: str) -> None:
    for asked in (
        store.users.get(name),
        store.users.change(name, tts_speed=1.0),
        store.users.set_disabled(name, True),
        store.users.listed(name, 1),
        store.users.delete(name),
    ):
        with pytest.raises(PeerError):
            await asked
    assert await store.users.listed() == []


async def test_names_of_all_scripts_are_kept_as_they_are(store: Store) -> None:
    for name in ("Rudo Moyo", "ルド", "a@b.example", "'; DROP TABLE users; --", "é" * 200):
        await store.users.set_disabled(name, True)
        assert (await store.users.get(name)).id == name


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("voice_mode", "loud"),
        ("tts_format", "flac"),
        ("tts_speed", 0.2),
        ("tts_speed", 4.1),
        ("tts_speed", float("nan")),
        ("tts_voice", ""),
        ("tts_voice", "a" * 201),
        ("tts_voice", "a\x00"),
        ("stt_language", "a" * 36),
    ],
)
async def test_a_value_that_cannot_be_changes_nothing(
    store: Store, setting: str, value: Any
) -> None:
    changes: dict[str, Any] = {"auto_play": False, setting: value}
    with pytest.raises(PeerError):
        await store.users.change("rudo", **changes)
    assert (await store.users.get("rudo")).settings == UserSettings()
