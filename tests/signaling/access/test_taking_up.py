"""Who may take up a call whose connection was lost."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from tests.signaling.test_resuming import QUIET, away, break_off, refusal, resuming
from tests.signaling.test_socket import socket
from tests.support.credentials import serving_with_keys, start_token
from tests.support.server import serving


async def test_only_whoever_began_a_call_takes_it_up() -> None:
    async with serving_with_keys(**QUIET) as (server, keys, _), socket(server.url) as client:
        await client.send(type="start", auth=keys.call)
        started = await client.told("session.started")
        told = {**resuming(started), "auth": None}
        for auth, code in (
            (None, "call_token_needed"),
            ("ct_" + "x" * 32, "no_such_call"),
            (keys.other, "no_such_call"),
            (keys.admin, "no_such_call"),
            (keys.revoked, "key_unknown"),
        ):
            assert await refusal(server.url, **{**told, "auth": auth}) == (code, 1008)
        elsewhere = resuming({**started, "session_id": "another"})
        assert await refusal(server.url, **elsewhere) == ("no_such_call", 1008)
        async with socket(server.url) as again:
            await again.send(**{**told, "auth": keys.call})
            await again.told("session.resumed")
        assert (await client.told("session.ended"))["reason"] == "replaced"


async def test_a_start_token_takes_up_nothing() -> None:
    async with serving_with_keys(**QUIET) as (server, keys, http), socket(server.url) as client:
        await client.send(type="start", auth=keys.call)
        started = await client.told("session.started")
        token = await start_token(server, http, keys.call)
        told = {**resuming(started), "auth": token}
        assert await refusal(server.url, **told) == ("no_such_call", 1008)
        await client.send(type="start", auth=token)
        assert (await client.told("error"))["code"] == "already_started"


@pytest.mark.parametrize("deleted", [False, True])
async def test_who_may_not_call_any_more_comes_back_to_nothing(deleted: bool) -> None:
    async with serving_with_keys(**QUIET) as (server, keys, http):
        async with socket(server.url) as client:
            await client.send(
                type="start", auth=await start_token(server, http, keys.call, user="ada")
            )
            started = await client.told("session.started")
            await break_off(client)
        await away(server)
        if deleted:
            await server.store.users.change("ada", tts_speed=1.1)
            await server.store.users.delete("ada")
            async with asyncio.timeout(10):
                await server.calls.all_ended()
            assert await refusal(server.url, **resuming(started)) == ("call_ended", 1008)
        else:
            await server.store.users.set_disabled("ada", True)
            told = await refusal(server.url, **resuming(started))
            assert told == ("voice_disabled_for_user", 1008)
            server.calls.end_of_user("ada")
            async with asyncio.timeout(10):
                await server.calls.all_ended()


async def test_a_call_whose_token_nobody_was_told_waits_for_nobody() -> None:
    """In the manner of WHIP: the answer is SDP, and there is no data channel."""
    async with serving(**QUIET) as server, aiohttp.ClientSession() as http:
        pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        pc.addTransceiver("audio")
        await pc.setLocalDescription(await pc.createOffer())
        async with http.post(
            f"{server.url}/v1/calls",
            data=pc.localDescription.sdp,
            headers={"Content-Type": "application/sdp"},
        ) as response:
            answer = RTCSessionDescription(await response.text(), "answer")
        await pc.setRemoteDescription(answer)
        [call] = server.calls.all()
        track = pc.getReceivers()[0].track
        async with asyncio.timeout(30):
            await track.recv()  # the call has begun
        assert not call.is_resumable
        await pc.close()
        async with asyncio.timeout(30):
            await server.calls.all_ended()
