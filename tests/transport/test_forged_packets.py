"""Datagrams that nobody but an attacker sends: while a call is set up, and while it goes on."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
import pytest_asyncio
from aioice import stun
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from inzwa_rtc.conversation.peer import Command
from inzwa_rtc.settings import Settings
from inzwa_rtc.transport.clock import MediaClock
from inzwa_rtc.transport.webrtc import WebRtcPeer
from signaling.dialects.native import NativeDialect
from tests.support.listening import Steered
from tests.support.live_call import LiveCall, live_call, ports_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

Address = tuple[str, int]
TIMES = 50
_random = random.Random(1)


def request(username: str | None = None, key: bytes | None = None) -> bytes:
    """A connectivity check."""
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    if username is not None:
        message.attributes["USERNAME"] = username
    message.attributes["PRIORITY"] = 1
    message.attributes["ICE-CONTROLLING"] = 1
    message.attributes["USE-CANDIDATE"] = None
    if key is not None:
        message.add_message_integrity(key)
    return bytes(message)


def response(kind: stun.Class) -> bytes:
    message = stun.Message(stun.Method.BINDING, kind)
    message.attributes["ERROR-CODE"] = (487, "Role Conflict")
    return bytes(message)


def with_short(kind: int, kept: int) -> bytes:
    """A check whose attribute is shorter than it has to be."""
    attribute = struct.pack("!HH", kind, kept) + bytes(-(-kept // 4) * 4)
    return struct.pack("!HHI", 1, len(attribute), stun.COOKIE) + _random.randbytes(12) + attribute


FORGED: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "one byte": lambda: bytes([_random.randrange(256)]),
    "noise": lambda: _random.randbytes(_random.randrange(1, 1500)),
    "the largest datagram": lambda: _random.randbytes(65_000),
    "a fatal DTLS alert": lambda: bytes.fromhex("15fefd00000000000000000002") + b"\x02\x28",
    "a DTLS alert that closes": lambda: bytes.fromhex("15fefd00000000000000000002") + b"\x01\x00",
    "an encrypted DTLS alert": lambda: bytes.fromhex("15fefd0001000000000005001a") + bytes(26),
    "a DTLS hello": lambda: bytes.fromhex("16fefd0000000000000000000c") + bytes(12),
    "DTLS data": lambda: bytes.fromhex("17fefd00010000000000100020") + bytes(32),
    "half a DTLS record": lambda: bytes.fromhex("16fefd00"),
    "audio": lambda: b"\x80\x60" + _random.randbytes(10) + bytes(60),
    "audio with extensions": lambda: b"\x90\x60" + _random.randbytes(10) + b"\xbe\xde\xff\xff",
    "a report": lambda: b"\x80\xc8\x00\x06" + _random.randbytes(24),
    "a farewell": lambda: b"\x81\xcb\x00\x01" + _random.randbytes(4),
    "a check of nobody's": request,
    "a check in a wrong name": lambda: request("abcd:efgh", b"password"),
    "half a check": lambda: request("abcd:efgh", b"password")[:23],
    "a check that says it is longer": lambda: b"\x00\x01\xff\xff\x21\x12\xa4\x42" + bytes(12),
    "a check with a short priority": lambda: with_short(0x0024, 2),
    "a check with a short fingerprint": lambda: with_short(0x8028, 3),
    "a check with a short role": lambda: with_short(0x802A, 4),
    "a check with a short lifetime": lambda: with_short(0x000D, 1),
    "what only begins like a check": lambda: bytes([_random.randrange(4)]) + _random.randbytes(40),
    "an answer to no check": lambda: response(stun.Class.RESPONSE),
    "a role conflict": lambda: response(stun.Class.ERROR),
}


FORGERIES = pytest.mark.parametrize("forged", FORGED)


@contextmanager
def stranger() -> Iterator[Callable[[bytes, list[Address]], None]]:
    """Somebody with an address of their own, who sends to others."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind(("0.0.0.0", 0))
        own.setblocking(False)

        def send(datagram: bytes, where: list[Address]) -> None:
            for address in where:
                if ":" not in address[0]:
                    own.sendto(datagram, address)

        yield send


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live() -> AsyncIterator[LiveCall]:
    async with live_call() as call:
        yield call


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def unfailing() -> AsyncIterator[None]:
    """Nothing that comes may raise where nobody catches it: it would be logged each time."""
    faults: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, fault: faults.append(fault))
    yield
    loop.set_exception_handler(None)
    assert not faults


@FORGERIES
async def test_a_live_call_hears_no_gap_whatever_strangers_send(
    forged: str, live: LiveCall
) -> None:
    await live.speaks()
    with stranger() as send:
        for _ in range(TIMES):
            send(FORGED[forged](), live.ports)
            await asyncio.sleep(0)
        await live.is_unharmed()


@FORGERIES
async def test_a_live_call_survives_what_comes_from_the_callers_own_address(
    forged: str, live: LiveCall
) -> None:
    """As from somebody on the way, who can forge the sender of a datagram."""
    transport = live.caller.pc.getTransceivers()[0].receiver.transport.transport
    (pair,) = transport.iceGatherer._connection._nominated.values()
    await live.speaks()
    for _ in range(TIMES):
        pair.protocol.transport.sendto(FORGED[forged](), pair.remote_addr)
        await asyncio.sleep(0)
    await live.is_unharmed()


@asynccontextmanager
async def setting_up() -> AsyncIterator[tuple[WebRtcPeer[Command], RTCPeerConnection, str]]:
    """A server's end that has answered, and a client that does not know it yet."""
    settings = Settings()
    client = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    client.createDataChannel("inzwa")
    client.addTransceiver("audio")
    await client.setLocalDescription(await client.createOffer())
    peer = WebRtcPeer[Command](settings, NativeDialect(settings.limits), MediaClock(), Steered())
    try:
        yield peer, client, await peer.answer(client.localDescription.sdp)
    finally:
        await client.close()
        await peer.close()


@FORGERIES
async def test_a_call_is_set_up_whatever_strangers_send_meanwhile(forged: str) -> None:
    """One forged alert ends a set-up of stock aiortc."""
    async with setting_up() as (peer, client, answer):
        with stranger() as send:
            where = ports_of(answer)
            for _ in range(TIMES):
                send(FORGED[forged](), where)
            connecting = asyncio.create_task(peer.connected(20))
            await client.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            while not connecting.done():
                send(FORGED[forged](), where)
                await asyncio.sleep(0.002)  # all through the handshakes
            assert await connecting
            assert peer.has_channel
