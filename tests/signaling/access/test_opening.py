"""A server is open only where nobody else reaches it, or where its operator wants that."""

from __future__ import annotations

from typing import Any

import pytest

from inzwa_rtc.errors import ConfigError, Unavailable
from inzwa_rtc.settings import Settings
from signaling.access.opening import LOOKED_S, Opening, check_start

AWAY = Unavailable("Away.", action="Wait.", code="database_unavailable")


class Keys:
    """Has keys, has none, or is away."""

    def __init__(self, has: bool | Unavailable = False) -> None:
        self.has = has
        self.asked = 0

    async def any(self, scope: str | None = None) -> bool:
        self.asked += 1
        if isinstance(self.has, Unavailable):
            raise self.has
        return self.has


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def settings(**members: Any) -> Settings:
    return Settings.model_validate(members)


async def opening(keys: Keys, clock: Clock | None = None, **members: Any) -> Opening:
    return Opening(settings(**members), keys, clock or Clock())


async def test_on_loopback_it_is_open_until_the_first_key_is_made() -> None:
    keys, clock = Keys(), Clock()
    server = await opening(keys, clock)
    assert await server.is_open()
    keys.has = True
    clock.now = LOOKED_S - 0.1
    assert await server.is_open()
    clock.now = LOOKED_S
    assert not await server.is_open()


async def test_what_a_key_has_closed_no_lack_of_keys_opens() -> None:
    keys, clock = Keys(True), Clock()
    server = await opening(keys, clock)
    assert not await server.is_open()
    keys.has, clock.now = False, 100.0
    assert not await server.is_open()
    assert keys.asked == 1


async def test_the_database_is_asked_once_in_a_while_however_many_call() -> None:
    keys = Keys()
    server = await opening(keys)
    for _ in range(100):
        await server.is_open()
    assert keys.asked == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "voice.example.org"])
async def test_where_others_reach_it_it_is_closed(host: str) -> None:
    keys = Keys()
    assert not await (await opening(keys, host=host)).is_open()
    assert not keys.asked


async def test_behind_a_proxy_that_it_knows_of_it_is_closed() -> None:
    assert not await (await opening(Keys(), access={"trusted_proxies": ["127.0.0.1"]})).is_open()


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
@pytest.mark.parametrize("is_open", [True, False])
async def test_what_the_operator_says_goes_whatever_keys_there_are(
    host: str, is_open: bool
) -> None:
    for keys in (Keys(True), Keys(False), Keys(AWAY)):
        server = await opening(keys, host=host, access={"open": is_open})
        assert await server.is_open() is is_open


async def test_a_database_that_never_answered_leaves_nobody_in() -> None:
    keys = Keys(AWAY)
    server = await opening(keys)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await server.is_open()
    keys.has = False
    assert await server.is_open()


async def test_a_database_that_goes_away_changes_nothing() -> None:
    keys, clock = Keys(), Clock()
    server = await opening(keys, clock)
    assert await server.is_open()
    keys.has, clock.now = AWAY, 100.0
    assert await server.is_open()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
async def test_it_does_not_start_open_where_others_reach_it_and_says_what_to_do(host: str) -> None:
    with pytest.raises(ConfigError) as refused:
        await check_start(settings(host=host), Keys())
    assert "inzwa-rtc keys create" in refused.value.action
    assert "access.open: true" in refused.value.action


@pytest.mark.parametrize(
    ("keys", "members"),
    [
        (Keys(), {}),
        (Keys(), {"host": "localhost"}),
        (Keys(True), {"host": "0.0.0.0"}),
        (Keys(AWAY), {"host": "0.0.0.0"}),
        (Keys(), {"host": "0.0.0.0", "access": {"open": True}}),
        (Keys(), {"host": "0.0.0.0", "access": {"open": False}}),
        (Keys(), {"host": "0.0.0.0", "admin_key": "an operator's own key"}),
    ],
)
async def test_it_starts_where_it_is_closed_or_meant_to_be_open(
    keys: Keys, members: dict[str, Any]
) -> None:
    await check_start(settings(**members), keys)
