"""Whoever asks is who they say, and may do what they may."""

from __future__ import annotations

import re
from typing import Any

import aiohttp
import pytest

from tests.support.caller import make_offer
from tests.support.credentials import NO_LIMITS, bearer, serving_with_keys, start_token
from tests.support.server import Serving, serving

Answer = tuple[int, dict[str, Any]]


async def ask(
    server: Serving, http: aiohttp.ClientSession, secret: str, body: Any = None, **headers: str
) -> Answer:
    """`POST /v1/tokens`, which tells who one is taken for."""
    url = f"{server.url}/v1/tokens"
    async with http.post(url, json=body or {}, headers=bearer(secret) | headers) as response:
        return response.status, await response.json()


async def started(
    server: Serving, http: aiohttp.ClientSession, secret: str | None, **start: Any
) -> Any:
    """What a socket call begins with, and the call as the server has it."""
    async with http.ws_connect(f"{server.url}/v1/ws") as ws:
        await ws.send_json({"type": "start", "auth": secret, **start})
        told = await ws.receive_json()
        calls = [call for call in server.calls._calls.values() if call.id == told.get("session_id")]
        return told, calls[0].owner if calls else None


async def test_a_back_end_names_the_user_in_whose_name_it_asks() -> None:
    async with serving_with_keys() as (server, keys, http):
        token = await start_token(server, http, keys.call, user="ada")
        assert (await started(server, http, token))[1].user == "ada"
        token = await start_token(server, http, keys.call)
        assert (await started(server, http, token))[1].user is None
        assert (await ask(server, http, keys.call, **{"X-Inzwa-User": "Tsitsi Mhofu"}))[0] == 201


async def test_a_users_own_key_is_for_nobody_else() -> None:
    async with serving_with_keys() as (server, keys, http):
        token = await start_token(server, http, keys.of_ada)
        assert (await started(server, http, token))[1].user == "ada"
        assert (await ask(server, http, keys.of_ada, {"user": "ada"}))[0] == 201
        for status, told in (
            await ask(server, http, keys.of_ada, {"user": "bob"}),
            await ask(server, http, keys.of_ada, **{"X-Inzwa-User": "bob"}),
        ):
            assert (status, told["code"]) == (403, "not_your_user")


async def test_nobody_without_a_key_names_a_user() -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        url = f"{server.url}/v1/tokens"
        for body, headers in (({"user": "ada"}, {}), ({}, {"X-Inzwa-User": "ada"})):
            async with http.post(url, json=body, headers=headers) as response:
                assert (response.status, (await response.json())["code"]) == (401, "key_needed")


@pytest.mark.parametrize("name", ["", "x" * 201, "a\tb"])
async def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    async with serving_with_keys() as (server, keys, http):
        assert (await ask(server, http, keys.call, {"user": name}))[0] == 400
        assert (await ask(server, http, keys.call, **{"X-Inzwa-User": name}))[0] == 400


async def test_what_a_start_token_settles_the_client_does_not_change() -> None:
    async with serving_with_keys() as (server, keys, http):
        settled = {"voice": "low", "speed": 1.5}
        token = await start_token(server, http, keys.call, session=settled)
        told, _ = await started(server, http, token, voice="tone", speed=0.7)
        assert (told["voice"], told["speed"]) == ("low", 1.5)


async def test_what_a_user_has_chosen_is_how_they_are_spoken_to() -> None:
    async with serving_with_keys() as (server, keys, http):
        await server.store.users.change("ada", tts_voice="low", tts_speed=1.25)
        token = await start_token(server, http, keys.call, user="ada")
        told, _ = await started(server, http, token)
        assert (told["voice"], told["speed"]) == ("low", 1.25)
        token = await start_token(server, http, keys.call, user="ada")
        told, _ = await started(server, http, token, voice="tone")
        assert (told["voice"], told["speed"]) == ("tone", 1.25)


async def test_a_voice_that_a_user_has_chosen_and_is_gone_costs_no_call() -> None:
    async with serving_with_keys() as (server, keys, http):
        await server.store.users.change("ada", tts_voice="gone", stt_language="xx")
        token = await start_token(server, http, keys.call, user="ada")
        told, _ = await started(server, http, token)
        assert (told["type"], told["voice"], told["language"]) == ("session.started", "tone", "en")


async def test_a_start_token_is_kept_for_another_try_where_no_call_came_of_it() -> None:
    async with serving_with_keys(max_concurrent_sessions=1) as (server, keys, http):
        token = await start_token(server, http, keys.call)
        async with http.ws_connect(f"{server.url}/v1/ws") as ws:
            await ws.send_json({"type": "start", "auth": keys.call})
            assert (await ws.receive_json())["type"] == "session.started"
            assert (await started(server, http, token))[0]["code"] == "server_full"
        await server.calls.all_ended()
        url, body = f"{server.url}/v1/calls", {"sdp": "no offer"}
        async with http.post(url, json=body, headers=bearer(token)) as response:
            assert response.status == 400
        assert (await started(server, http, token))[0]["type"] == "session.started"
        assert (await started(server, http, token))[0]["code"] == "token_spent"


async def test_a_start_token_goes_on_where_a_call_was_given_up_before_it_began() -> None:
    """As a page does that falls back from WebRTC to the WebSocket."""
    async with serving_with_keys() as (server, keys, http):
        token = await start_token(server, http, keys.call)
        pc, offer = await make_offer()
        url = f"{server.url}/v1/calls"
        async with http.post(url, json={"sdp": offer}, headers=bearer(token)) as response:
            call = await response.json()
        assert (await started(server, http, token))[0]["code"] == "token_spent"
        url = f"{url}/{call['id']}"
        async with http.delete(url, headers=bearer(call["call_token"])) as response:
            assert response.status == 200
        assert (await started(server, http, token))[0]["type"] == "session.started"
        await server.calls.all_ended()
        assert (await started(server, http, token))[0]["code"] == "token_spent"
        await pc.close()


async def test_a_call_is_its_callers_its_keys_and_the_operators_and_nobody_elses() -> None:
    async with serving_with_keys() as (server, keys, http):
        pc, offer = await make_offer()
        token = await start_token(server, http, keys.call)
        url = f"{server.url}/v1/calls"
        async with http.post(url, json={"sdp": offer}, headers=bearer(token)) as response:
            call = await response.json()
        url = f"{url}/{call['id']}"

        async def status(method: str, secret: str | None) -> Answer:
            headers = bearer(secret) if secret else {}
            async with http.request(method, url, headers=headers) as response:
                return response.status, await response.json() if response.status != 200 else {}

        assert (await status("GET", call["call_token"]))[0] == 200
        assert (await status("GET", keys.call))[0] == 200
        assert (await status("GET", keys.admin))[0] == 200
        strangers = [None, token, keys.other, "ct_guessed", "garbage"]
        live = [await status(method, one) for one in strangers for method in ("GET", "DELETE")]
        assert {code for code, _ in live} == {401, 404}
        assert (await status("DELETE", call["call_token"]))[0] == 200
        await server.calls.all_ended()
        told, gone = await status("DELETE", call["call_token"])
        assert (told, gone["code"]) == (404, "no_such_call")
        over = [await status(method, one) for one in strangers for method in ("GET", "DELETE")]
        url = f"{server.url}/v1/calls/nosuch"
        never = [await status(method, one) for one in strangers for method in ("GET", "DELETE")]
        assert live == over == never, "strangers learn nothing of what there is"
        await pc.close()


async def test_a_whip_client_sends_the_same_with_every_request() -> None:
    async with serving_with_keys() as (server, keys, http):
        token = await start_token(server, http, keys.call)
        assert await whip(server, http, bearer(token)) == (201, 204, 401, 200)
        assert await whip(server, http, bearer(keys.call)) == (201, 204, 401, 200)
    async with serving() as server, aiohttp.ClientSession() as http:
        assert await whip(server, http, {}) == (201, 204, 204, 200)
        assert await whip(server, http, bearer("unused")) == (201, 204, 204, 200)


async def whip(
    server: Serving, http: aiohttp.ClientSession, headers: dict[str, str]
) -> tuple[int, int, int, int]:
    """The statuses of an offer, a candidate, a candidate without the header, the hang-up."""
    pc, offer = await make_offer()
    kind = {"Content-Type": "application/sdp"}
    async with http.post(f"{server.url}/v1/calls", data=offer, headers=headers | kind) as response:
        begun, url = response.status, f"{server.url}{response.headers['Location']}"
        tag = response.headers["ETag"]
    kind = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": tag}
    async with http.patch(url, data="a=mid:0\r\n", headers=headers | kind) as response:
        trickled = response.status
    async with http.patch(url, data="a=mid:0\r\n", headers=kind) as response:
        by_a_stranger = response.status
    async with http.delete(url, headers=headers) as response:
        ended = response.status
    await pc.close()
    return begun, trickled, by_a_stranger, ended


async def test_a_key_that_is_made_while_the_server_runs_closes_it() -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        url, body = f"{server.url}/v1/calls", {"sdp": "no offer"}
        _, secret = await server.store.keys.create("first", ["call"])
        async with http.post(url, json=body) as response:
            assert (response.status, response.headers["WWW-Authenticate"]) == (401, "Bearer")
        async with http.post(url, json=body, headers=bearer(secret)) as response:
            assert response.status == 400


async def test_a_key_that_was_revoked_opens_nothing() -> None:
    async with serving_with_keys() as (server, _keys, http):
        key, secret = await server.store.keys.create("short", ["call"])
        assert (await ask(server, http, secret))[0] == 201
        await server.store.keys.revoke(key.id)
        status, told = await ask(server, http, secret)
        assert (status, told["code"]) == (401, "key_unknown")


def take_away_database(server: Serving) -> None:
    folder = server.calls.settings.data_dir
    assert folder is not None
    (folder / "inzwa.db").rename(folder / "away.db")


async def test_without_its_database_a_server_tells_keys_to_come_back_and_stays_open() -> None:
    async with serving_with_keys() as (server, keys, http):
        take_away_database(server)
        async with http.post(
            f"{server.url}/v1/tokens", json={}, headers=bearer(keys.call)
        ) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "5")
            assert (await response.json())["code"] == "database_unavailable"
    async with serving() as server, aiohttp.ClientSession() as http:
        assert (await started(server, http, "", auth=None))[0]["type"] == "session.started"
        take_away_database(server)
        assert (await started(server, http, "", auth=None))[0]["type"] == "session.started"


async def test_no_secret_is_logged_or_told(capsys: pytest.CaptureFixture[str]) -> None:
    limits = NO_LIMITS | {"failures_per_minute": 5}
    said = []
    async with serving_with_keys(access=limits) as (server, keys, http):
        token = await start_token(server, http, keys.call, user="ada-lovelace")
        told, _ = await started(server, http, token)
        secrets = [token, told["call_token"], keys.call, keys.revoked, "canary-7f31"]
        for secret in secrets * 3:
            for method, path in (("POST", "/v1/calls"), ("GET", "/v1/calls/x")):
                url = f"{server.url}{path}"
                async with http.request(method, url, headers=bearer(secret)) as response:
                    said.append(await response.text() + str(response.headers))
    text = "".join(said) + "".join(capsys.readouterr())
    assert re.search("call.started", text)
    assert [one for one in [*secrets, "ada-lovelace"] if one in text] == []


async def test_an_open_server_passes_over_keys_that_clients_cannot_do_without() -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        for secret in ("unused", "sk-from-somewhere"):
            body = {"text": "hello"}
            async with http.post(
                f"{server.url}/v1/tts", json=body, headers=bearer(secret)
            ) as answer:
                assert answer.status == 200
        async with http.get(f"{server.url}/metrics", headers=bearer("unused")) as answer:
            assert answer.status == 200
        url = f"{server.url}/v1/admin/calls"
        async with http.get(url, headers=bearer("unused")) as answer:
            assert answer.status == 401
        _, revoked = await server.store.keys.create("gone", ["admin"])
        await server.store.keys.revoke(revoked.split("_")[1])
        async with http.post(f"{server.url}/v1/tts", json=body, headers=bearer(revoked)) as answer:
            assert answer.status == 401


async def test_an_open_server_passes_over_a_password_for_a_proxy() -> None:
    headers = {"Authorization": "Basic cnVkbzpzZWNyZXQ="}
    async with serving() as server, aiohttp.ClientSession(headers=headers) as http:
        async with http.post(f"{server.url}/v1/tts", json={"text": "hello"}) as answer:
            assert answer.status == 200
        assert (await started(server, http, None))[0]["type"] == "session.started"
    async with serving_with_keys() as (server, _, http):
        async with http.get(f"{server.url}/v1/voices", headers=headers) as answer:
            assert (await answer.json())["code"] == "bad_authorization"


async def test_a_key_for_administration_alone_keeps_nobody_from_calling_on_this_machine() -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        _, admin = await server.store.keys.create("operator", ["admin"])
        assert (await started(server, http, None))[0]["type"] == "session.started"
        body = {"text": "hello"}
        async with http.post(f"{server.url}/v1/tts", json=body, headers=bearer(admin)) as answer:
            assert answer.status == 200  # the dashboard's form
        assert (await started(server, http, admin))[0]["code"] == "scope_missing"
