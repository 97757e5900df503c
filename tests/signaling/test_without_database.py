"""A database that is locked or gone: settings are 503, and calls go on."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType

from inzwa_rtc.settings import Settings
from inzwa_rtc.store import place_of
from tests.support.asked import Answered, Asking, asking
from tests.support.engines import ScriptedModel
from tests.support.postgres import Postgres, postgres
from tests.support.server import Serving, serving

LOCK = """
import sqlite3, sys
other = sqlite3.connect(sys.argv[1], isolation_level=None)
other.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def locked_by_another_process(file: str) -> Iterator[None]:
    command = [sys.executable, "-c", LOCK, file]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == b"locked\n"
        try:
            yield
        finally:
            other.stdin.close()


@pytest.fixture
def server() -> Iterator[Postgres]:
    """One that the test may stop."""
    with postgres() as own:
        yield own


@asynccontextmanager
async def calling(server: Serving, **start: Any) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{server.url}/v1/ws") as ws:
        await ws.send_json({"type": "start", **start})
        started = json.loads((await ws.receive()).data)
        assert started["type"] == "session.started", started
        yield ws


async def answered(ws: aiohttp.ClientWebSocketResponse) -> str:
    """The answer to a typed message."""
    await ws.send_json({"type": "text", "text": "Are you there?"})
    async with asyncio.timeout(20):
        async for message in ws:
            if message.type != WSMsgType.TEXT:
                continue
            event = json.loads(message.data)
            if event["type"] == "llm.final" and event["text"].strip() == "Yes.":
                return str(event["text"])
    raise AssertionError("the call has ended")


def assert_unavailable(answer: Answered) -> None:
    assert (answer.status, answer.code) == (503, "database_unavailable")
    assert answer.headers["Retry-After"] == "5"


async def assert_settings_work(client: Asking) -> None:
    assert (await client.put("/v1/settings", {"tts_speed": 1.5})).status == 200
    assert (await client.get("/api/voice/settings")).told["tts_speed"] == 1.5


async def test_while_another_process_has_locked_the_file_settings_cannot_be_changed(
    tmp_path: Path,
) -> None:
    file = str(place_of(Settings(data_dir=tmp_path)))
    llm = ScriptedModel("Yes.", "Yes.")
    async with serving(llm=llm, data_dir=str(tmp_path), call={"greeting": ""}) as server:
        async with calling(server) as ws, asking(server, "anna") as client:
            await assert_settings_work(client)
            with locked_by_another_process(file):
                for path in ("/v1/settings", "/api/voice/settings"):
                    assert_unavailable(await client.put(path, {"tts_speed": 2.0}))
                assert await answered(ws)
            await assert_settings_work(client)
            assert await answered(ws)


async def test_with_the_database_gone_settings_are_503_and_calls_go_on(server: Postgres) -> None:
    llm = ScriptedModel("Yes.", "Yes.", "Yes.")
    url = server.new_database()
    # Open to whoever reaches it, so that nobody has to be looked up to call.
    settings = {"database_url": url, "access": {"open": True}, "call": {"greeting": ""}}
    async with serving(llm=llm, **settings) as serving_now:
        async with calling(serving_now) as ws, asking(serving_now, "anna") as client:
            await assert_settings_work(client)
            server.stop()
            for path in ("/v1/settings", "/api/voice/settings"):
                assert_unavailable(await client.get(path))
                assert_unavailable(await client.put(path, {"tts_speed": 2.0}))
            assert await answered(ws)
            async with calling(serving_now) as another:  # as anybody, with the defaults
                assert await answered(another)
            server.start()
            await assert_settings_work(client)
            assert await answered(ws)


async def test_with_the_database_gone_administration_of_users_is_503(server: Postgres) -> None:
    settings = {"database_url": server.new_database(), "access": {"open": True}}
    async with serving(**settings) as serving_now, asking(serving_now, None, "admin") as admin:
        assert (await admin.get("/v1/admin/users")).status == 200
        server.stop()
        one = "/v1/admin/users/anna"
        assert_unavailable(await admin.get("/v1/admin/users"))
        assert_unavailable(await admin.get(one))
        assert_unavailable(await admin.ask("PATCH", one, json={"is_disabled": True}))
        assert_unavailable(await admin.ask("DELETE", one))


async def test_a_server_that_cannot_tell_who_may_call_is_not_ready(tmp_path: Path) -> None:
    file = tmp_path / "inzwa.db"
    file.write_bytes(b"no database" * 1000)
    async with serving(data_dir=str(tmp_path)) as server, asking(server) as anybody:
        assert_unavailable(await anybody.get("/v1/voices"))
        ready = await anybody.get("/readyz")
        assert (ready.status, ready.told["status"]) == (503, "not ready")
        assert ready.told["reason"] == "database_unavailable"
    settings = {"data_dir": str(tmp_path), "access": {"open": True}}
    async with serving(**settings) as server, asking(server) as anybody:
        ready = await anybody.get("/readyz")
        assert (ready.status, ready.told.get("reason")) == (200, None)


async def test_a_server_that_cannot_check_keys_is_not_ready_until_it_can(
    server: Postgres,
) -> None:
    settings = {"database_url": server.new_database(), "access": {"open": False}}
    async with serving(**settings) as serving_now, asking(serving_now) as anybody:
        now = [0.0]
        serving_now.gate.opening._now = lambda: now[0]
        serving_now.gate.opening._tried_at = -10.0
        assert (await anybody.get("/readyz")).status == 200
        server.stop()
        now[0] += 2
        assert (await anybody.get("/readyz")).status == 503
        server.start()
        now[0] += 2
        assert (await anybody.get("/readyz")).status == 200
