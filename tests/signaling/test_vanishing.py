"""Callers who vanish, in whatever state, leave nothing behind; nor do many who hang up."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket as real_socket
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from signaling import socket as sockets
from tests.support.belongings import Before, Belongings, belongings
from tests.support.caller import Caller, calling, make_offer
from tests.support.server import Serving, serving

ONES = 4
MANY = 60
LIMITS = {"network_silence": 8, "call_setup": 8}  # which callers on a busy machine keep
NOT_WAITED_FOR = {"lost_s": 0, "closed_s": 0}

Vanishing = Callable[[Serving], Awaitable[None]]


async def whole_call(server: Serving) -> None:
    """One over WebRTC that is hung up."""
    async with calling(server.url) as caller:
        caller.send(type="stop")
        await caller.told("session.ended")
    await server.calls.all_ended()


async def whole_call_over_a_socket(server: Serving) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{server.url}/v1/ws") as ws:
        await ws.send_json({"type": "start"})
        await ws.send_json({"type": "stop"})
        async for _ in ws:
            pass
    await server.calls.all_ended()


async def vanishes_in_a_call(server: Serving) -> None:
    """Over WebRTC: their sockets are gone, and no farewell came."""
    async with aiohttp.ClientSession() as http:
        callers = [Caller(http, server.url) for _ in range(ONES)]
        for caller in callers:
            await caller.connect()
            await caller.told("session.started")
        for caller in callers:
            caller.vanish()
        await server.calls.all_ended()
        for caller in callers:
            await caller.close()


async def never_connects(server: Serving) -> None:
    """An offer is answered, and nobody ever sends a packet."""
    async with aiohttp.ClientSession() as http:
        for _ in range(ONES):
            pc, offer = await make_offer()
            async with http.post(f"{server.url}/v1/calls", json={"sdp": offer}) as response:
                assert response.status == 201
            await pc.close()
        assert len(server.calls) == ONES
        await server.calls.all_ended()


async def stops_in_the_midst_of_a_socket(server: Serving) -> None:
    """The machine at the other end stands still: it acknowledges, and answers nothing."""
    loop = asyncio.get_running_loop()
    clients = []
    for _ in range(ONES):
        client = real_socket.socket()
        client.setblocking(False)
        clients.append(client)
        await loop.sock_connect(client, ("127.0.0.1", server.server.port))
        await loop.sock_sendall(client, _upgrade() + _text({"type": "start"}))
        answer = b""
        while b"session.started" not in answer:
            answer += await loop.sock_recv(client, 4096)
    await server.calls.all_ended()
    for client in clients:
        client.close()


async def breaks_a_socket(server: Serving) -> None:
    """Reset, without a close frame."""
    async with aiohttp.ClientSession() as http:
        for _ in range(ONES):
            ws = await http.ws_connect(f"{server.url}/v1/ws")
            await ws.send_json({"type": "start"})
            assert (await ws.receive_json())["type"] == "session.started"
            connection = ws._response.connection
            assert connection is not None and connection.transport is not None
            connection.transport.abort()
            await ws.close()
    await server.calls.all_ended()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "vanish",
    [vanishes_in_a_call, never_connects, stops_in_the_midst_of_a_socket, breaks_a_socket],
    ids=lambda one: one.__name__,
)
async def test_who_vanishes_leaves_nothing_behind(
    vanish: Vanishing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "HEARTBEAT_S", 2.0)
    async with serving(timeouts=LIMITS, resume=NOT_WAITED_FOR) as server:
        before, had = await settled(server)
        async with asyncio.timeout(120):
            await vanish(server)
        await before.again()
        assert belongings() == had


@pytest.mark.timeout(300)
async def test_who_is_waited_for_in_vain_leaves_nothing_behind() -> None:
    async with serving(timeouts=LIMITS, resume={"lost_s": 1}) as server:
        before, had = await settled(server)
        async with asyncio.timeout(120):
            await vanishes_in_a_call(server)
            await breaks_a_socket(server)
        await before.again()
        assert belongings() == had


@pytest.mark.timeout(300)
async def test_many_calls_leave_nothing_behind() -> None:
    """The memory of it is measured by benchmarks/soak.py."""
    async with serving(call={"greeting": ""}) as server:
        before, had = await settled(server)
        for _ in range(MANY // 2):
            await whole_call(server)
            await whole_call_over_a_socket(server)
        await before.again()
        assert belongings() == had


async def settled(server: Serving) -> tuple[Before, Belongings]:
    """What there is once everything was used that is kept for later."""
    before = Before()
    await whole_call(server)
    await whole_call_over_a_socket(server)
    await before.again()
    return before, belongings()


def _upgrade() -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        "GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    ).encode()


def _text(message: dict[str, str]) -> bytes:
    """A frame that is masked with zeros."""
    text = json.dumps(message).encode()
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text
