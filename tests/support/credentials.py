"""Whatever somebody may send to say who they are, and a server that asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import aiohttp

from inzwa_rtc.settings import Settings
from inzwa_rtc.settings.access import AccessSettings
from inzwa_rtc.store import opened, place_of
from signaling.access.start_tokens import Grant
from signaling.dialects.native import SessionOptions
from tests.support.server import Serving, serving

ADMIN_KEY = "the operator's own key"
NO_LIMITS = dict.fromkeys(
    (name for name in AccessSettings.model_fields if name.endswith("_per_minute")), 0
)


@dataclass
class Keys:
    """The secrets of keys that were made before the server started."""

    call: str
    other: str
    admin: str
    revoked: str
    of_ada: str


@asynccontextmanager
async def serving_with_keys(
    *engines: Any, **settings: Any
) -> AsyncIterator[tuple[Serving, Keys, aiohttp.ClientSession]]:
    """A server that has keys, so that nobody gets in without one."""
    with TemporaryDirectory() as data:
        keys = await made(Path(data))
        settings = {"admin_key": ADMIN_KEY, "data_dir": data, **settings}
        async with serving(*engines, **settings) as server, aiohttp.ClientSession() as http:
            yield server, keys, http


async def made(data: Path) -> Keys:
    """Keys in a new database there."""
    async with opened(place_of(Settings(data_dir=data))) as store:
        revoked, revoked_secret = await store.keys.create("revoked", ["call", "admin"])
        await store.keys.revoke(revoked.id)
        return Keys(
            (await store.keys.create("back end", ["call"]))[1],
            (await store.keys.create("another back end", ["call"]))[1],
            (await store.keys.create("operator", ["admin"]))[1],
            revoked_secret,
            (await store.keys.create("ada's", ["call"], user="ada"))[1],
        )


def bearer(secret: str) -> dict[str, str]:
    """The header that carries it."""
    return {"Authorization": f"Bearer {secret}"}


def expired(server: Serving) -> str:
    """A start token that nobody used in time."""
    grant = Grant(None, None, SessionOptions())
    return server.gate.start_tokens.mint(grant, monotonic() - 61)


async def start_token(server: Serving, http: aiohttp.ClientSession, key: str, **asked: Any) -> str:
    """A start token, asked for with this key."""
    url = f"{server.url}/v1/tokens"
    async with http.post(url, json=asked, headers=bearer(key)) as response:
        told = await response.json()
        assert response.status == 201, told
        return str(told["token"])
