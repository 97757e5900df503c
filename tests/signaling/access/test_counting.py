"""Everybody may ask as often as they may, and nobody at another's expense."""

from __future__ import annotations

import aiohttp

from tests.signaling.access.test_gate import ask, started
from tests.support.credentials import NO_LIMITS, bearer, serving_with_keys, start_token
from tests.support.server import serving


async def test_too_many_of_a_kind_are_refused_and_told_when_to_come_again() -> None:
    limits = NO_LIMITS | {"tokens_per_minute": 2, "calls_per_minute": 1}
    async with serving_with_keys(access=limits) as (server, keys, http):
        token = await start_token(server, http, keys.call)
        await start_token(server, http, keys.call)
        async with http.post(
            f"{server.url}/v1/tokens", json={}, headers=bearer(keys.call)
        ) as response:
            assert (response.status, response.headers["Retry-After"]) == (429, "30")
            assert (await response.json())["code"] == "rate_limited"
        assert (await ask(server, http, keys.other))[0] == 201, "another key is not held up"
        assert (await started(server, http, token))[0]["type"] == "session.started"
        another = await start_token(server, http, keys.other)
        for _ in range(2):
            told, _ = await started(server, http, another)
            assert told["code"] == "rate_limited", "and the token is not spent by that"


async def test_what_a_call_token_asks_is_not_counted_as_its_keys() -> None:
    limits = NO_LIMITS | {"requests_per_minute": 2}
    async with serving_with_keys(access=limits) as (server, keys, http):
        token = await start_token(server, http, keys.call)
        async with http.ws_connect(f"{server.url}/v1/ws") as ws:
            await ws.send_json({"type": "start", "auth": token})
            call = await ws.receive_json()
            url = f"{server.url}/v1/calls/{call['session_id']}"

            async def status(url: str, secret: str) -> int:
                async with http.get(url, headers=bearer(secret)) as response:
                    return response.status

            by_token = [await status(url, call["call_token"]) for _ in range(3)]
            assert by_token == [200, 200, 429]
            assert await status(f"{server.url}/v1/voices", keys.call) == 200
            assert await status(url, keys.call) == 200


async def test_wrong_keys_are_slowed_down_and_right_ones_are_not() -> None:
    limits = NO_LIMITS | {"failures_per_minute": 3}
    async with serving_with_keys(access=limits) as (server, keys, http):
        assert (await ask(server, http, keys.call))[0] == 201
        wrong = [(await ask(server, http, f"{keys.call}{n}"))[0] for n in range(5)]
        assert wrong == [401, 401, 401, 429, 429]
        assert (await ask(server, http, keys.call))[0] == 201
        assert (await started(server, http, "st_wrong"))[0]["code"] == "rate_limited"
        token = await start_token(server, http, keys.call)
        assert (await started(server, http, token))[0]["type"] == "session.started"


async def test_on_this_machine_an_open_server_counts_nothing() -> None:
    limits = {"tokens_per_minute": 1, "calls_per_minute": 1}
    async with serving(access=limits) as server, aiohttp.ClientSession() as http:
        for _ in range(5):
            async with http.post(f"{server.url}/v1/tokens", json={}) as response:
                assert response.status == 201


async def test_a_proxy_that_is_trusted_tells_clients_apart() -> None:
    limits = NO_LIMITS | {"calls_per_minute": 1, "trusted_proxies": ["127.0.0.1"], "open": True}
    async with serving(access=limits) as server, aiohttp.ClientSession() as http:
        statuses = []
        for client in ("203.0.113.1", "203.0.113.1", "203.0.113.2", "9.9.9.9, 203.0.113.2"):
            headers = {"X-Forwarded-For": client}
            url = f"{server.url}/v1/calls"
            async with http.post(url, json={"sdp": "no offer"}, headers=headers) as response:
                statuses.append(response.status)
        assert statuses == [400, 429, 400, 429]
