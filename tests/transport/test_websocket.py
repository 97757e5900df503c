"""A WebSocket call ends whatever its client does, reading least of all."""

from __future__ import annotations

import asyncio

import pytest

from inzwa_rtc.conversation.peer import Command
from inzwa_rtc.events import ReplyToken, SpeechStarted
from inzwa_rtc.settings import LimitSettings
from inzwa_rtc.transport import websocket
from inzwa_rtc.transport.clock import MediaClock
from inzwa_rtc.transport.outbox import MAX_MESSAGES
from inzwa_rtc.transport.websocket import SocketPeer
from signaling.dialects.native import NativeDialect
from tests.support.listening import Steered


class Wire:
    """What a client is sent; it takes messages only while `reads` is set."""

    def __init__(self) -> None:
        self.sent: list[str | bytes] = []
        self.reads = asyncio.Event()

    async def send(self, message: str | bytes) -> None:
        await self.reads.wait()
        self.sent.append(message)


def make_peer() -> SocketPeer[Command]:
    return SocketPeer(16_000, NativeDialect(LimitSettings()), MediaClock(), Steered())


async def is_gone(peer: SocketPeer[Command]) -> bool:
    """Whether what it receives ends, with nothing ever put in."""
    async with asyncio.timeout(10):
        async for _ in peer.receive():
            return False
    return True


async def test_what_waits_at_the_end_is_still_sent() -> None:
    peer, wire = make_peer(), Wire()
    pumping = asyncio.create_task(peer.pump(wire.send, wire.send))
    for turn in range(3):
        peer.send(SpeechStarted(turn))
    peer.end_sending()
    wire.reads.set()
    async with asyncio.timeout(10):
        await pumping
    assert len(wire.sent) == 3


async def test_a_client_that_fills_its_outbox_is_gone_and_the_sender_still_ends() -> None:
    peer, wire = make_peer(), Wire()
    pumping = asyncio.create_task(peer.pump(wire.send, wire.send))
    for turn in range(MAX_MESSAGES + 1):
        peer.send(SpeechStarted(turn))
    assert await is_gone(peer)
    peer.end_sending()
    wire.reads.set()
    async with asyncio.timeout(10):
        await pumping
    assert len(wire.sent) == MAX_MESSAGES


async def test_a_client_that_takes_no_message_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "MAX_SEND_S", 0.01)
    peer, wire = make_peer(), Wire()
    peer.send(SpeechStarted(1))
    async with asyncio.timeout(10):
        await peer.pump(wire.send, wire.send)
    assert await is_gone(peer)


async def test_half_a_character_of_a_model_ends_no_call() -> None:
    peer, wire = make_peer(), Wire()
    wire.reads.set()
    peer.send(ReplyToken(1, "\ud83d"))
    peer.end_sending()
    await peer.pump(wire.send, wire.send)
    assert isinstance(wire.sent[0], str)
    assert wire.sent[0].encode()
