"""`/v1/ws`: the same call over a WebSocket, and what bad clients get."""

from __future__ import annotations

import asyncio
import json
import socket as real_socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType

from inzwa_rtc.engines.contracts import Voice
from inzwa_rtc.transport import websocket
from tests.support.engines import ScriptedModel, ScriptedRecognizer, ToneSynthesizer
from tests.support.server import serving

HUGE = 20_000_000  # bytes: more than the system's buffers of a connection hold


class Socket:
    """A native WebSocket client."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.events: list[dict[str, Any]] = []
        self.audio = bytearray()

    async def send(self, **message: Any) -> None:
        await self.ws.send_str(json.dumps(message))

    async def told(self, kind: str, **members: Any) -> dict[str, Any]:
        """The next such event; audio on the way is kept."""
        async with asyncio.timeout(20):
            async for message in self.ws:
                if message.type == WSMsgType.BINARY:
                    self.audio += message.data
                    continue
                event: dict[str, Any] = json.loads(message.data)
                self.events.append(event)
                if event["type"] == kind and members.items() <= event.items():
                    return event
        raise AssertionError(f"closed ({self.ws.close_code}) before {kind}: {self.events}")

    async def closed(self) -> int | None:
        async with asyncio.timeout(20):
            async for message in self.ws:
                if message.type == WSMsgType.TEXT:
                    self.events.append(json.loads(message.data))
        return self.ws.close_code


@asynccontextmanager
async def socket(url: str, **headers: str) -> AsyncIterator[Socket]:
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{url}/v1/ws", headers=headers) as ws,
    ):
        yield Socket(ws)


@asynccontextmanager
async def unread(url: str) -> AsyncIterator[real_socket.socket]:
    """A client that starts a call, reads the first bytes of its answer, and no more."""
    loop = asyncio.get_running_loop()
    text = b'{"type":"start"}'
    request = (
        b"GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng==\r\n\r\n"
    ) + bytes([0x81, 0x80 | len(text), 0, 0, 0, 0])  # masked with zeros
    with real_socket.socket() as client:
        client.setblocking(False)
        client.setsockopt(real_socket.SOL_SOCKET, real_socket.SO_RCVBUF, 4096)
        await loop.sock_connect(client, ("127.0.0.1", int(url.rpartition(":")[2])))
        await loop.sock_sendall(client, request + text)
        answer = b""
        while b"\r\n\r\n\x81" not in answer:  # the beginning of the first text message
            answer += await loop.sock_recv(client, 1)
        yield client


async def rest(client: real_socket.socket) -> int:
    """How much there still is to read before the connection is over."""
    loop, size = asyncio.get_running_loop(), 0
    with suppress(ConnectionResetError):
        while piece := await loop.sock_recv(client, 1 << 20):
            size += len(piece)
    return size


async def test_a_call_over_a_websocket_carries_audio_both_ways() -> None:
    llm = ScriptedModel("Hello to you.")
    asr = ScriptedRecognizer("hello")
    async with serving(asr, llm, call={"greeting": ""}) as server, socket(server.url) as client:
        await client.send(type="start", out_sample_rate=24000)
        started = await client.told("session.started")
        assert started["out_sample_rate"] == 24000
        await client.send(type="text", text="hello")
        await client.told("tts.start", turn=0)
        await client.told("tts.end", turn=0)
        assert len(client.audio) == 3 * 200 * 48  # three words of 200 ms at 24 kHz
        captions = [event for event in client.events if event["type"] == "caption"]
        assert [(c["text"], c["offset"]) for c in captions] == [
            ("Hello", 0),
            ("to", 6),
            ("you.", 9),
        ]
        await client.send(type="stop")
        assert (await client.told("session.ended"))["reason"] == "caller"
        assert await client.closed() == 1000


async def test_played_reports_decide_what_was_heard() -> None:
    llm = ScriptedModel("one two three four five six seven eight", "ok")
    async with serving(ScriptedRecognizer(), llm, call={"greeting": ""}) as server:
        async with socket(server.url) as client:
            await client.send(type="start")
            await client.send(type="text", text="count")
            await client.told("caption", text="four")
            await client.send(type="played", turn=0, samples=16_000 * 2 // 5 + 100)
            await client.send(type="text", text="stop")
            interrupted = await client.told("turn.interrupted")
            assert interrupted["heard"] == "one two"


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ('{"type":"text","text":"hi"}', "not_started"),
        (b"\x00\x00", "not_started"),
        ("hello", "bad_message"),
        ('{"type":"start","sample_rate":44100}', "bad_message"),
        ('{"type":"start","codec":"mp3"}', "bad_message"),
        ('{"type":"start","voice":"nobody"}', "unknown_voice"),
        ('{"type":"start","language":"xx"}', "unknown_language"),
        ('{"type":"start","speed":1e999}', "bad_message"),
        pytest.param("[" * 60_000, "bad_message", id="deep"),
    ],
)
async def test_a_wrong_first_message_gets_an_error_and_a_close(
    first: str | bytes, code: str
) -> None:
    async with serving() as server, socket(server.url) as client:
        await (client.ws.send_str(first) if isinstance(first, str) else client.ws.send_bytes(first))
        error = await client.told("error")
        assert error["code"] == code
        assert error["action"]
        assert await client.closed() == 1008


async def test_mistakes_within_a_call_are_answered_and_the_call_goes_on() -> None:
    llm = ScriptedModel("Still here.")
    async with serving(ScriptedRecognizer(), llm, call={"greeting": ""}) as server:
        async with socket(server.url) as client:
            await client.send(type="start")
            await client.told("session.started")
            await client.send(type="start")
            await client.told("error", code="already_started")
            await client.ws.send_bytes(b"\x00" * 321)
            await client.told("error", code="odd_audio")
            await client.send(type="dance")
            await client.told("error", code="unknown_message")
            await client.send(type="update", language="klingon")
            await client.told("error", code="unknown_language")
            await client.send(type="text", text="  ")
            await client.told("error", code="empty_text")
            await client.send(type="text", text="x" * 6000)
            await client.told("error", code="text_too_long")
            await client.ws.send_str('{"type":"text","text":"\\ud800"}')
            await client.told("error", code="bad_message")
            await client.send(type="text", text="are you there")
            assert (await client.told("llm.final"))["text"] == "Still here."


async def test_a_client_that_sends_only_nonsense_is_cut_off() -> None:
    async with serving() as server, socket(server.url) as client:
        await client.send(type="start")
        for _ in range(60):
            await client.send(type="dance")
        await client.told("session.ended")


async def test_a_message_beyond_the_limit_closes_the_socket() -> None:
    async with serving() as server, socket(server.url) as client:
        await client.send(type="start")
        await client.told("session.started")
        await client.ws.send_bytes(bytes(70_000))
        assert await client.closed() == 1009


async def test_audio_faster_than_real_time_is_dropped_not_kept() -> None:
    asr = ScriptedRecognizer("", "", "")
    async with serving(asr, call={"greeting": ""}) as server, socket(server.url) as client:
        await client.send(type="start")
        await client.told("session.started")
        for _ in range(40):
            await client.ws.send_bytes(bytes(64_000))  # 80 s of audio at once
        await client.send(type="text", text="hi")
        await client.told("llm.final")


async def test_a_full_server_closes_with_try_again_later() -> None:
    async with serving(max_concurrent_sessions=1) as server, socket(server.url) as first:
        await first.send(type="start")
        await first.told("session.started")
        async with socket(server.url) as second:
            await second.send(type="start")
            assert (await second.told("error"))["code"] == "server_full"
            assert await second.closed() == 1013


async def test_a_server_without_voice_refuses_before_the_upgrade() -> None:
    async with serving(voice_enabled=False) as server, aiohttp.ClientSession() as http:
        async with http.get(f"{server.url}/v1/ws") as response:
            assert response.status == 503
            assert (await response.json())["code"] == "voice_disabled"
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{server.url}/v1/ws")
        assert refused.value.status == 503


def with_more_to_say_than_buffers_hold() -> ToneSynthesizer:
    """`session.started` names the voice."""
    tts = ToneSynthesizer()
    tts.voices = [Voice("x" * HUGE, "Huge", "en")]
    return tts


async def test_a_client_that_stops_reading_does_not_hold_up_the_end() -> None:
    """Its last message is never taken, nor is the close: neither may be waited for."""
    tts = with_more_to_say_than_buffers_hold()
    async with serving(tts=tts) as server, unread(server.url) as client:
        assert len(server.calls) == 1
        await server.calls.drain(0)
        assert len(server.calls) == 0
        async with asyncio.timeout(10):
            assert await rest(client) < HUGE


async def test_a_client_that_never_reads_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "MAX_SEND_S", 0.1)
    tts = with_more_to_say_than_buffers_hold()
    given_up = {"lost_s": 0}
    async with serving(tts=tts, resume=given_up) as server, unread(server.url) as client:
        async with asyncio.timeout(10):
            await server.calls.all_ended()
            assert await rest(client) < HUGE


async def test_a_client_that_vanishes_frees_its_place() -> None:
    async with serving() as server:
        async with socket(server.url) as client:
            await client.send(type="start")
            await client.told("session.started")
            assert len(server.calls) == 1
        async with asyncio.timeout(10):
            await server.calls.all_ended()


async def test_draining_refuses_new_calls_and_lets_live_ones_finish() -> None:
    async with serving() as server, aiohttp.ClientSession() as http, socket(server.url) as live:
        await live.send(type="start")
        await live.told("session.started")
        draining = asyncio.create_task(server.calls.drain(60))
        await asyncio.sleep(0)
        async with http.get(f"{server.url}/readyz") as response:
            assert response.status == 503
            assert (await response.json())["status"] == "draining"
        async with socket(server.url) as late:
            await late.send(type="start")
            assert (await late.told("error"))["code"] == "draining"
        assert not draining.done()
        await live.send(type="stop")
        assert (await live.told("session.ended"))["reason"] == "caller"
        async with asyncio.timeout(10):
            await draining


async def test_calls_that_outlive_the_drain_are_ended() -> None:
    async with serving() as server, socket(server.url) as live:
        await live.send(type="start")
        await live.told("session.started")
        draining = asyncio.create_task(server.calls.drain(0))
        assert (await live.told("session.ended"))["reason"] == "shutdown"
        await draining
