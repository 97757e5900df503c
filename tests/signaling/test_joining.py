"""A connection that is only being set up, beside the one that a call goes over."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from inzwa_rtc.settings import Settings
from signaling.conversations import Conversations
from tests.signaling.test_resuming import QUIET, break_off, refusal, resuming
from tests.signaling.test_socket import Socket, socket
from tests.support.caller import make_offer
from tests.support.credentials import bearer
from tests.support.server import Serving, serving


async def begun(client: Socket) -> dict[str, Any]:
    await client.send(type="start")
    return await client.told("session.started")


async def join(server: Serving, http: aiohttp.ClientSession, started: dict[str, Any]) -> None:
    """Ask for a connection over WebRTC, and never connect."""
    pc, offer = await make_offer()
    url = f"{server.url}/v1/calls/{started['session_id']}/resume"
    headers = bearer(started["call_token"])
    async with http.post(url, json={"sdp": offer}, headers=headers) as response:
        assert response.status == 200
    await pc.close()


async def test_a_set_up_is_given_up_when_the_caller_is_back_over_a_socket() -> None:
    """It must not take the call over, should it come about after all."""
    patient = {"call_setup": 60}
    async with serving(timeouts=patient, **QUIET) as server, aiohttp.ClientSession() as http:
        async with socket(server.url) as client:
            started = await begun(client)
            await break_off(client)
        await join(server, http, started)
        [call] = server.calls.all()
        assert call.joining is not None
        async with socket(server.url) as client:
            await client.send(**resuming(started))
            await client.told("session.resumed")
            assert call.joining is None
            tasks = server.calls.connections._tasks
            async with asyncio.timeout(20):
                while len(tasks) > 1:  # but for the conversation's
                    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await client.send(type="stop")
            assert (await client.told("session.ended"))["reason"] == "caller"


async def test_what_is_being_set_up_is_not_what_a_call_is_told_to_go_over() -> None:
    async with serving(**QUIET) as server, aiohttp.ClientSession() as http:
        async with socket(server.url) as client:
            started = await begun(client)
            await join(server, http, started)
            url = f"{server.url}/v1/calls/{started['session_id']}"
            async with http.get(url, headers=bearer(started["call_token"])) as response:
                status = await response.json()
            assert (status["state"], status["statistics"]) == ("connected", {})


async def test_a_conversation_that_cannot_be_made_leaves_the_place_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Conversations, "session", broken)
    async with serving(**QUIET) as server, socket(server.url) as client:
        await client.send(type="start")
        async with asyncio.timeout(20):
            await client.closed()
            await server.calls.all_ended()
        assert len(server.calls) == 0


@pytest.mark.parametrize("reason", ["operator", "shutdown"])
async def test_who_comes_too_late_is_told_why_the_call_ended(reason: Any) -> None:
    async with serving(**QUIET) as server, aiohttp.ClientSession() as http:
        async with socket(server.url) as client:
            started = await begun(client)
            [call] = server.calls.all()
            call.end(reason)
            await client.told("session.ended")
            await server.calls.all_ended()
        async with socket(server.url) as client:
            await client.send(**resuming(started))
            assert (await client.told("error"))["reason"] == reason
        url = f"{server.url}/v1/calls/{started['session_id']}/resume"
        headers = bearer(started["call_token"])
        async with http.post(url, json={"sdp": "v=0"}, headers=headers) as response:
            assert response.status == 410
            assert (await response.json())["reason"] == reason


async def test_those_whose_calls_a_restart_has_ended_lock_nobody_out() -> None:
    """Behind one address there may be many."""
    most = Settings().access.failures_per_minute
    unknown = {"session_id": "unknown", "call_token": "ct_" + "x" * 32}
    async with serving(**QUIET) as server:
        for _ in range(most + 1):
            assert await refusal(server.url, **resuming(unknown)) == ("no_such_call", 1008)
