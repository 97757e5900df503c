"""What a server does while its database is away, and when that comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from inzwa_rtc.errors import ConfigError, Unavailable
from tests.support.engines import ScriptedModel
from tests.support.postgres import postgres
from tests.support.server import serving

SDP = {"Content-Type": "application/sdp"}


@asynccontextmanager
async def called(url: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A call, which has begun."""
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{url}/v1/ws") as call:
        await call.send_json({"type": "start", "codec": "pcm16", "sample_rate": 16000})
        await told(call, "session.started")
        yield call


async def told(call: aiohttp.ClientWebSocketResponse, kind: str) -> None:
    """The next such event."""
    async with asyncio.timeout(20):
        async for message in call:
            if message.type == aiohttp.WSMsgType.TEXT and message.json()["type"] == kind:
                return
    raise AssertionError(f"closed before {kind}")


async def answered(call: aiohttp.ClientWebSocketResponse) -> None:
    """Something is asked, and answered."""
    await call.send_json({"type": "text", "text": "Hello?"})
    await told(call, "llm.final")


async def test_calls_are_taken_before_the_database_is_there_and_go_on_when_it_has_gone() -> None:
    with postgres() as database:
        url = database.new_database()
        database.stop()
        model, anybody = ScriptedModel(), {"open": True}
        async with serving(llm=model, database_url=url, access=anybody) as server:
            async with called(server.url) as call:
                await answered(call)
                with pytest.raises(Unavailable):
                    await server.store.users.get("rudo")
                database.start()
                await server.store.users.change("rudo", tts_speed=1.5)
                database.stop()
                await answered(call)
            async with called(server.url) as call:
                await answered(call)
            database.start()
            assert (await server.store.users.get("rudo")).settings.tts_speed == 1.5


async def test_a_wrong_password_is_told_before_a_call_is_taken() -> None:
    with postgres() as database:
        with pytest.raises(ConfigError, match="password"):
            async with serving(database_url=database.url(password="canary")):
                pass


async def test_nobody_is_let_in_who_may_need_a_key_while_that_is_not_known() -> None:
    url = "postgresql://tests:canary@127.0.0.1:9/none"
    async with serving(database_url=url) as server, aiohttp.ClientSession() as http:
        offer = http.post(f"{server.url}/v1/calls", data="v=0", headers=SDP)
        async with offer as answer:
            told = await answer.json()
            assert (answer.status, told["code"]) == (503, "database_unavailable")
            assert answer.headers["Retry-After"] == "5"
            assert "canary" not in str(told)


async def test_who_has_chosen_nothing_may_do_what_the_settings_say() -> None:
    async with serving(default_voice_mode="tts_only") as server:
        assert (await server.store.users.get("rudo")).settings.voice_mode == "tts_only"
