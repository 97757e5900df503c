"""A call outlives its connections: whoever has its token takes it up over another one."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from inzwa_rtc.engines.contracts import Message
from tests.signaling.test_socket import Socket, socket
from tests.support.caller import RATE, Caller, calling, make_offer, taking_up
from tests.support.credentials import bearer
from tests.support.engines import ScriptedModel
from tests.support.server import Serving, serving

QUIET = {"call": {"greeting": ""}}
AT_ONCE = {"network_silence": 1}  # a caller with a microphone is heard from all the time
ASKED = [
    Message("user", "I am Tendai."),
    Message("assistant", "Hello Tendai."),
    Message("user", "Who am I?"),
]


def knows_the_caller() -> ScriptedModel:
    return ScriptedModel("Hello Tendai.", "You are Tendai.")


def newest(events: list[dict[str, Any]]) -> int:
    """The last event that came."""
    return max(int(event.get("event_id", 0)) for event in events)


async def introduced(client: Socket) -> dict[str, Any]:
    """A call over a socket, in which one turn was spoken. Returns what was told first."""
    await client.send(type="start")
    started = await client.told("session.started")
    await client.send(type="text", text="I am Tendai.")
    await client.told("tts.end", turn=0)
    await client.send(type="played", turn=0, samples=16_000)
    await client.send(type="update")
    await client.told("session.updated")  # all before it was taken
    return started


async def introduce(caller: Caller) -> None:
    """One turn of a call over WebRTC, which is heard to its end and beyond."""
    caller.send(type="text", text="I am Tendai.")
    end = await caller.told("tts.end")
    await caller.heard(end["at"] + RATE)


def resuming(started: dict[str, Any], after: int = 0) -> dict[str, Any]:
    """The first message of a socket that takes up this call."""
    resume = {"session_id": started["session_id"], "after": after}
    return {"type": "start", "auth": started["call_token"], "resume": resume}


async def break_off(client: Socket) -> None:
    """The connection is gone, without a word."""
    connection = client.ws._response.connection
    assert connection is not None and connection.transport is not None
    connection.transport.abort()


async def away(server: Serving) -> None:
    """Until the server has noticed that the only caller is gone."""
    [call] = server.calls.all()
    async with asyncio.timeout(20):
        while not call.is_away:
            attached = call.caller.attached if call.caller else None
            await (attached.over.wait() if attached else asyncio.sleep(0))


async def refusal(url: str, **start: Any) -> tuple[str, int | None]:
    """What a socket is told that may not begin, and the code with which it is closed."""
    async with socket(url) as client:
        await client.send(**start)
        return (await client.told("error"))["code"], await client.closed()


async def test_a_socket_that_broke_is_replaced_and_the_call_goes_on() -> None:
    llm = knows_the_caller()
    async with serving(llm=llm, **QUIET) as server:
        async with socket(server.url) as client:
            started = await introduced(client)
            await break_off(client)
        await away(server)
        async with socket(server.url) as client:
            await client.send(**resuming(started))
            resumed = await client.told("session.resumed")
            assert resumed["complete"] is True
            assert resumed["session_id"] == started["session_id"]
            assert (await client.told("llm.final"))["text"] == "Hello Tendai."
            await client.send(type="text", text="Who am I?")
            assert (await client.told("llm.final", turn=1))["text"] == "You are Tendai."
        assert llm.requests[-1].messages[1:] == ASKED


async def test_a_webrtc_call_goes_on_over_a_socket_and_back() -> None:
    llm = knows_the_caller()
    async with serving(llm=llm, timeouts=AT_ONCE, **QUIET) as server:
        async with calling(server.url) as caller:
            await introduce(caller)
            caller.vanish()
            await away(server)
        started = await caller.told("session.started")
        async with socket(server.url) as client:
            await client.send(**resuming(started, newest(caller.events)))
            await client.told("session.resumed")
            await client.send(type="text", text="Who am I?")
            await client.told("tts.end", turn=1)
            assert {event.get("turn") for event in client.events} == {None, 1}
            after = newest(client.events)
            async with taking_up(server.url, caller.id, caller.token, after) as again:
                assert (await client.told("session.ended"))["reason"] == "replaced"
                assert await client.closed() == 1000
                [call] = server.calls.all()
                assert call.transport == "webrtc"
                again.send(type="stop")
                assert (await again.told("session.ended"))["reason"] == "caller"
        assert llm.requests[-1].messages[1:] == ASKED


async def test_a_call_is_taken_up_over_webrtc_and_candidates_are_the_new_ones() -> None:
    llm = knows_the_caller()
    async with serving(llm=llm, timeouts=AT_ONCE, **QUIET) as server:
        async with calling(server.url) as caller:
            await introduce(caller)
            tag = server.calls.all()[0].etag
            caller.vanish()
            await away(server)
        async with taking_up(server.url, caller.id, caller.token) as again:
            assert server.calls.all()[0].etag != tag
            assert (await again.told("llm.final"))["text"] == "Hello Tendai."
            again.send(type="text", text="Who am I?")
            await again.told("tts.end", lambda event: event["turn"] == 1)
            assert again.audio().any()
        assert llm.requests[-1].messages[1:] == ASKED


async def test_who_waits_for_the_caller_keeps_the_place_and_says_so() -> None:
    async with (
        serving(max_concurrent_sessions=1, **QUIET) as server,
        aiohttp.ClientSession() as http,
    ):
        async with socket(server.url) as client:
            await client.send(type="start")
            started = await client.told("session.started")
            await break_off(client)
        await away(server)
        assert await refusal(server.url, type="start") == ("server_full", 1013)
        headers = bearer(started["call_token"])
        url = f"{server.url}/v1/calls/{started['session_id']}"
        async with http.get(url, headers=headers) as response:
            assert (await response.json())["state"] == "away"
        async with socket(server.url) as client:
            await client.send(**resuming(started))
            await client.told("session.resumed")
        async with http.delete(url, headers=headers) as response:
            assert response.status == 200
        async with asyncio.timeout(10):
            await server.calls.all_ended()


async def test_who_does_not_come_back_in_time_is_told_that_the_call_has_ended() -> None:
    async with serving(resume={"lost_s": 0.05}, **QUIET) as server, aiohttp.ClientSession() as http:
        async with socket(server.url) as client:
            await client.send(type="start")
            started = await client.told("session.started")
            await break_off(client)
        async with asyncio.timeout(20):
            await server.calls.all_ended()
        assert await refusal(server.url, **resuming(started)) == ("call_ended", 1008)
        pc, offer = await make_offer()
        await pc.close()
        url = f"{server.url}/v1/calls/{started['session_id']}/resume"
        headers = bearer(started["call_token"])
        async with http.post(url, json={"sdp": offer}, headers=headers) as response:
            assert response.status == 410
            assert (await response.json())["action"]


async def test_a_server_that_ends_lets_callers_come_back_until_its_limit() -> None:
    async with serving(**QUIET) as server:
        async with socket(server.url) as client:
            await client.send(type="start")
            started = await client.told("session.started")
            await break_off(client)
        await away(server)
        draining = asyncio.create_task(server.calls.drain(60))
        await asyncio.sleep(0)
        assert await refusal(server.url, type="start") == ("draining", 1013)
        async with socket(server.url) as client:
            await client.send(**resuming(started))
            await client.told("session.resumed")
            await client.send(type="stop")
            assert (await client.told("session.ended"))["reason"] == "caller"
        async with asyncio.timeout(20):
            await draining


async def test_a_call_whose_first_connection_does_not_stand_is_not_taken_up() -> None:
    async with serving(**QUIET) as server, aiohttp.ClientSession() as http:
        pc, offer = await make_offer()
        async with http.post(f"{server.url}/v1/calls", json={"sdp": offer}) as response:
            answer = await response.json()
        url = f"{server.url}/v1/calls/{answer['id']}/resume"
        headers = bearer(answer["call_token"])
        async with http.post(url, json={"sdp": offer}, headers=headers) as response:
            assert (response.status, (await response.json())["code"]) == (409, "call_not_begun")
        await pc.close()


@pytest.mark.parametrize("after", [-1, "one", 1e999])
async def test_nonsense_about_what_came_last_is_refused(after: object) -> None:
    async with serving(**QUIET) as server, socket(server.url) as client:
        await client.send(type="start")
        started = await client.told("session.started")
        told = {**resuming(started), "resume": {"session_id": "x", "after": after}}
        assert await refusal(server.url, **told) == ("bad_message", 1008)


async def test_a_new_connection_that_never_stands_leaves_the_old_one_in_place() -> None:
    llm = knows_the_caller()
    limits = {"call_setup": 0.2}
    async with (
        serving(llm=llm, timeouts=limits, **QUIET) as server,
        aiohttp.ClientSession() as http,
    ):
        async with socket(server.url) as client:
            started = await introduced(client)
            pc, offer = await make_offer()
            url = f"{server.url}/v1/calls/{started['session_id']}/resume"
            headers = bearer(started["call_token"])
            async with http.post(url, json={"sdp": offer}, headers=headers) as response:
                assert response.status == 200
            tasks = server.calls.connections._tasks
            async with asyncio.timeout(20):
                while len(tasks) > 1:  # but for the conversation's
                    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await pc.close()
            await client.send(type="text", text="Who am I?")
            await client.told("tts.end", turn=1)
        assert llm.requests[-1].messages[1:] == ASKED
