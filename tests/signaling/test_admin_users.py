"""Users, as administrators have them: seen, changed, kept from voice, forgotten."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import WSMsgType

from tests.support.asked import Asking, asking
from tests.support.engines import ScriptedModel
from tests.support.server import Serving, serving

PRICES = {"": {"*": {"per_thousand": "1", "currency": "USD"}}}  # what engines in process are named


@asynccontextmanager
async def administered(**settings: Any) -> AsyncIterator[tuple[Serving, Asking, Asking]]:
    """A server, its administrator, and a user named anna."""
    async with serving(**settings) as server, asking(server, None, "admin") as admin:
        async with asking(server, "anna") as anna:
            yield server, admin, anna


@asynccontextmanager
async def on_the_phone(
    server: Serving, user: str, path: str = "/v1/ws"
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A call of this user's, that has begun."""
    _, key = await server.store.keys.create("phone", frozenset({"call"}), user)
    async with aiohttp.ClientSession() as http, http.ws_connect(server.url + path) as ws:
        await ws.send_json({"type": "start", "auth": key})
        if path == "/v1/ws":
            assert json.loads((await ws.receive()).data)["type"] == "session.started"
        yield ws


async def read_to_the_end(ws: aiohttp.ClientWebSocketResponse) -> list[dict[str, Any]]:
    async with asyncio.timeout(20):
        return [json.loads(one.data) async for one in ws if one.type == WSMsgType.TEXT]


async def test_users_are_listed_in_pages() -> None:
    async with administered() as (server, admin, _):
        for name in ("ben", "cyd", "dee"):
            await server.store.users.change(name, tts_speed=1.5)
        page = (await admin.get("/v1/admin/users?limit=2")).told
        assert [user["id"] for user in page["users"]] == ["anna", "ben"]  # anna has a key
        rest = (await admin.get(f"/v1/admin/users?limit=5&after={page['next']}")).told
        assert [user["id"] for user in rest["users"]] == ["cyd", "dee"]
        assert rest["next"] is None
        assert set(rest["users"][0]) == {"id", "created_at", "is_disabled", "settings"}
        assert rest["users"][0]["settings"]["tts_speed"] == 1.5


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=1001", "after="])
async def test_a_page_that_cannot_be_is_refused(query: str) -> None:
    async with administered() as (_, admin, _anna):
        assert (await admin.get(f"/v1/admin/users?{query}")).status == 400


async def test_an_administrator_changes_what_a_user_has_chosen() -> None:
    async with administered() as (_, admin, anna):
        answer = await admin.ask(
            "PATCH", "/v1/admin/users/anna", json={"settings": {"tts_voice": "low"}}
        )
        assert (answer.status, answer.told["settings"]["tts_voice"]) == (200, "low")
        assert (await anna.get("/v1/settings")).told["tts_voice"] == "low"
        for wrong in ({"settings": {"tts_voice": "nobody"}}, {"is_disabled": "yes"}, {"id": "x"}):
            answer = await admin.ask("PATCH", "/v1/admin/users/anna", json=wrong)
            assert answer.status == 400
        assert (await admin.get("/v1/admin/users/anna")).told["settings"]["tts_voice"] == "low"


@pytest.mark.parametrize("name", ["{3f25}", "a/b", "...", "50%", "é", "a b?c#d"])
async def test_a_user_of_any_name_is_reached(name: str) -> None:
    url = f"/v1/admin/users/{quote(name, safe='')}"
    async with administered() as (server, admin, _anna):
        await server.store.users.change(name, tts_speed=1.5)
        answer = await admin.get(url)
        assert (answer.status, answer.told["settings"]["tts_speed"]) == (200, 1.5)
        assert (await admin.ask("DELETE", url)).status == 204
        assert await server.store.users.find(name) is None


async def test_voice_taken_from_a_user_is_taken_in_every_way() -> None:
    async with administered() as (_, admin, anna):
        answer = await admin.ask("PATCH", "/v1/admin/users/anna", json={"is_disabled": True})
        assert answer.told["is_disabled"] is True
        assert (await anna.post("/tts", {"text": "hello"})).status == 403
        assert (await anna.post("/api/voice/tts/stream", {"text": "hello"})).status == 403
        assert (await anna.get("/v1/settings")).told["voice_mode"] == "disabled"
        told = (await anna.put("/v1/settings", {"voice_mode": "conversation"})).told
        assert told["voice_mode"] == "disabled"  # it is not theirs to give back
        capabilities = (await anna.get("/api/voice/capabilities")).told
        assert (capabilities["tts_enabled"], capabilities["stt_enabled"]) == (False, False)
        await admin.ask("PATCH", "/v1/admin/users/anna", json={"is_disabled": False})
        assert (await anna.get("/v1/settings")).told["voice_mode"] == "conversation"
        assert (await anna.post("/tts", {"text": "hello"})).status == 200


@pytest.mark.parametrize("path", ["/v1/ws", "/ws/stt"])
async def test_a_live_call_ends_when_voice_is_taken_and_others_go_on(path: str) -> None:
    async with administered() as (server, admin, _):
        async with on_the_phone(server, "anna", path) as hers, on_the_phone(server, "ben") as his:
            if path == "/ws/stt":
                await hers.send_str("?")
                await hers.receive()  # the dictation is up: it has answered
            await admin.ask("PATCH", "/v1/admin/users/anna", json={"is_disabled": True})
            told = await asyncio.gather(read_to_the_end(hers), _silence(hers, path))
            said = json.dumps(told[0])
            assert "disabled" in said
            if path == "/ws/stt":
                assert hers.close_code == 1008
            assert not his.closed
            assert len(server.calls) == 1


async def _silence(ws: aiohttp.ClientWebSocketResponse, path: str) -> None:
    """A call's time is the caller's audio, which a page sends all the time."""
    if path == "/v1/ws":
        for _ in range(500):
            if ws.closed:
                return
            await ws.send_bytes(bytes(640))


async def test_a_deleted_user_is_forgotten_and_their_call_ends() -> None:
    async with administered() as (server, admin, anna):
        await anna.put("/v1/settings", {"tts_voice": "low"})
        async with on_the_phone(server, "anna") as ws:
            answer = await admin.ask("DELETE", "/v1/admin/users/anna")
            assert (answer.status, answer.body) == (204, b"")
            await asyncio.gather(read_to_the_end(ws), _silence(ws, "/v1/ws"))
        assert (await anna.get("/v1/settings")).status == 401  # the key went with the user
        listed = (await admin.get("/v1/admin/users")).told
        assert "anna" not in [user["id"] for user in listed["users"]]
        assert (await admin.get("/v1/admin/users/anna")).told["settings"]["tts_voice"] is None
        assert (await admin.get("/v1/admin/users/anna/spending")).told["characters"] == 0


async def test_what_a_user_s_speech_costs_is_counted_in_requests_and_calls() -> None:
    llm = ScriptedModel("Fine.")
    async with administered(llm=llm, call={"greeting": ""}, prices=PRICES) as (server, admin, anna):
        await anna.post("/tts", {"text": "one thousand"})
        spent = (await admin.get("/v1/admin/users/anna/spending")).told
        assert set(spent) == {"characters", "unpriced", "cost", "lines"}
        before = spent["characters"]
        assert before >= len("one thousand")
        async with on_the_phone(server, "anna") as ws:
            await ws.send_json({"type": "text", "text": "How are you?"})
            async for message in ws:
                if message.type == WSMsgType.TEXT and json.loads(message.data)["type"] == "tts.end":
                    break
            await ws.send_json({"type": "stop"})
            await read_to_the_end(ws)
        await server.calls.all_ended()
        spent = (await admin.get("/v1/admin/users/anna/spending")).told
        assert spent["characters"] == before + len("Fine.")
        assert set(spent["lines"][0]) == {"engine", "model", "characters", "unpriced", "cost"}
        assert (await admin.get("/v1/admin/users/ben/spending")).told["characters"] == 0


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/admin/users"),
        ("GET", "/v1/admin/users/anna"),
        ("PATCH", "/v1/admin/users/anna"),
        ("DELETE", "/v1/admin/users/anna"),
        ("GET", "/v1/admin/users/anna/spending"),
    ],
)
async def test_users_are_an_administrator_s_alone(method: str, path: str) -> None:
    async with administered() as (server, _, anna):
        assert (await anna.ask(method, path, json={})).status == 403
        async with asking(server) as nobody:
            assert (await nobody.ask(method, path, json={})).status == 401
        assert (await anna.get("/v1/settings")).status == 200


async def test_a_start_token_of_a_deleted_user_starts_nothing() -> None:
    async with administered() as (server, admin, anna):
        token = (await anna.post("/v1/tokens", {})).told["token"]
        await admin.ask("DELETE", "/v1/admin/users/anna")
        async with aiohttp.ClientSession() as http, http.ws_connect(f"{server.url}/v1/ws") as ws:
            await ws.send_json({"type": "start", "auth": token})
            assert json.loads((await ws.receive()).data)["code"] == "token_spent"


async def test_the_call_of_a_deleted_user_is_nobody_s() -> None:
    async with administered() as (server, admin, _), on_the_phone(server, "anna"):
        (call,) = server.calls._calls.values()
        await admin.ask("DELETE", "/v1/admin/users/anna")
        assert call.owner.user is None
        claim = server.calls.tokens.held(call.id, call.token, 0)
        assert claim is not None
        assert claim.owner.user is None
