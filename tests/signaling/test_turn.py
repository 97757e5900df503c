"""Callers whose network lets nothing through but a TURN server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiortc import RTCConfiguration, RTCIceServer, RTCIceTransportPolicy

from tests.support.caller import Caller, make_offer
from tests.support.coturn import SECRET, Coturn, coturn
from tests.support.credentials import ADMIN_KEY, NO_LIMITS, bearer, serving_with_keys, start_token
from tests.support.engines import ScriptedModel, ScriptedRecognizer
from tests.support.server import Serving, serving

TURN = {"turn_urls": ("turn:turn.example.org:3478?transport=udp",), "turn_secret": SECRET}


async def ice(server: Serving, http: aiohttp.ClientSession, **headers: str) -> tuple[int, Any]:
    async with http.get(f"{server.url}/v1/ice", headers=headers) as response:
        return response.status, await response.json()


@asynccontextmanager
async def relayed(server: Serving, told: dict[str, Any]) -> AsyncIterator[Caller]:
    """A call that has no way but through the relay that the server has told of."""
    servers = [RTCIceServer(**one) for one in told["ice_servers"]]
    network = RTCConfiguration(servers, iceTransportPolicy=RTCIceTransportPolicy.RELAY)
    async with aiohttp.ClientSession() as http:
        caller = await reached(http, server, network)
        try:
            await caller.connect()
            await caller.told("session.started")
            yield caller
        finally:
            await caller.close()


async def reached(
    http: aiohttp.ClientSession, server: Serving, network: RTCConfiguration
) -> Caller:
    """A caller who has an address of the relay's. On a busy machine aioice asks for one twice,
    and takes the answer to the first time for a refusal."""
    while True:
        caller = Caller(http, server.url, network)
        await caller.pc.setLocalDescription(await caller.pc.createOffer())
        if "typ relay" in caller.pc.localDescription.sdp:
            return caller
        await caller.close()


def pairs(caller: Caller) -> list[Any]:
    """The ways over which the call goes, as its own end has them."""
    transport = caller.pc.getTransceivers()[0].receiver.transport.transport
    return list(transport.iceGatherer._connection._nominated.values())


async def test_a_call_is_held_through_the_relay_alone() -> None:
    llm = ScriptedModel("I am well.")
    async with coturn() as relay, here(ScriptedRecognizer(), llm, relay) as server:
        async with aiohttp.ClientSession() as http:
            status, told = await ice(server, http)
        assert status == 200
        assert told["expires_in_s"] == 600
        async with relayed(server, told) as caller:
            assert [pair.local_candidate.type for pair in pairs(caller)] == ["relay"]
            caller.send(type="text", text="how are you")
            final = await caller.told("llm.final", lambda event: event["turn"] == 1)
            assert final["text"] == "I am well."
            assert len(await caller.answer(1)) > 0


@asynccontextmanager
async def here(asr: Any, llm: Any, relay: Coturn) -> AsyncIterator[Serving]:
    """A server on this machine's own address, where coturn may reach it."""
    settings = {"turn_urls": (relay.url,), "turn_secret": SECRET}
    async with serving(asr, llm, media_interfaces=("127.0.0.1",), **settings) as server:
        yield server


async def test_credentials_are_for_those_who_may_call_and_nobody_else() -> None:
    async with serving_with_keys(**TURN, access=NO_LIMITS) as (server, keys, http):
        token = await start_token(server, http, keys.call)
        for secret, status in (
            (keys.call, 200),
            (token, 200),
            (ADMIN_KEY, 403),
            ("st_" + "x" * 43, 401),
            ("ink_nobody", 401),
        ):
            answered, told = await ice(server, http, **bearer(secret))
            assert (answered, "ice_servers" in told) == (status, status == 200), secret
        assert (await ice(server, http))[0] == 401
        pc, offer = await make_offer()
        await pc.close()
        url, body = f"{server.url}/v1/calls", {"sdp": offer}
        async with http.post(url, json=body, headers=bearer(token)) as response:
            assert response.status == 201, "the start token was not spent by asking"
            first = (await response.json())["ice_servers"][0]
        assert first["urls"] == list(TURN["turn_urls"])
        assert set(first) == {"urls", "username", "credential"}
        assert (await ice(server, http, **bearer(token)))[0] == 401, "it is spent now"


async def test_a_client_that_is_answered_in_sdp_finds_the_relay_in_a_header() -> None:
    """RFC 9725, section 4.6."""
    async with serving(**TURN) as server, aiohttp.ClientSession() as http:
        pc, offer = await make_offer()
        await pc.close()
        headers = {"Content-Type": "application/sdp"}
        async with http.post(f"{server.url}/v1/calls", data=offer, headers=headers) as response:
            links = response.links.getall("ice-server")
        assert [str(one["url"]) for one in links] == list(TURN["turn_urls"])
        assert links[0]["credential-type"] == "password"
        assert links[0]["username"]
        assert links[0]["credential"]


async def test_a_server_without_a_relay_says_so() -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        assert await ice(server, http) == (200, {"ice_servers": [], "expires_in_s": None})
        async with http.get(f"{server.url}/v1/info") as response:
            assert (await response.json())["turn"] is False


async def test_no_credential_is_logged_and_anybody_is_told_none(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(**TURN) as server, aiohttp.ClientSession() as http:
        async with http.get(f"{server.url}/v1/info") as response:
            told = await response.json()
            assert (told["turn"], told["ice_servers"]) == (True, [])
        _, told = await ice(server, http)
        pc, offer = await make_offer()
        await pc.close()
        async with http.post(f"{server.url}/v1/calls", json={"sdp": offer}) as response:
            answered = await response.json()
        path, call = f"{server.url}/v1/calls/{answered['id']}/ice", bearer(answered["call_token"])
        async with http.get(path, headers=call) as response:
            again = await response.json()
        assert again["expires_in_s"] == 600
        async with http.get(path, headers=bearer("ct_nobody")) as response:
            assert response.status == 404
    credentials = [one["credential"] for one in _servers(told, answered, again)]
    assert len(set(credentials)) == 3
    out = "".join([*capfd.readouterr(), caplog.text])
    for secret in (SECRET, *credentials):
        assert secret not in out


def _servers(*told: dict[str, Any]) -> list[dict[str, Any]]:
    return [server for one in told for server in one["ice_servers"]]
