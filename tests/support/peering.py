"""A server's end of a call over WebRTC and its caller, both in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aioice.ice import Connection
from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription

from inzwa_rtc.conversation.peer import Command
from inzwa_rtc.settings import Settings
from inzwa_rtc.transport.webrtc import WebRtcPeer
from signaling.dialects.native import NativeDialect
from tests.support.listening import Steered
from tests.support.ticking import ticking

PATIENCE_S = 30


@dataclass
class Pair:
    """Both ends, the client's data channel, and the answer that it was given."""

    peer: WebRtcPeer[Command]
    client: RTCPeerConnection
    channel: RTCDataChannel
    answer: str

    @property
    def connection(self) -> Connection:
        """ICE of the server's."""
        return self.peer._pc.getReceivers()[0].transport.transport._connection


@asynccontextmanager
async def answered(label: str = "inzwa", direction: str = "sendrecv") -> AsyncIterator[Pair]:
    """A call that is about to connect, by a client whose channel has this label."""
    settings = Settings()
    client = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    channel = client.createDataChannel(label)
    client.addTransceiver("audio", direction)
    await client.setLocalDescription(await client.createOffer())
    async with ticking() as clock:
        peer = WebRtcPeer[Command](settings, NativeDialect(settings.limits), clock, Steered())
        try:
            answer = await peer.answer(client.localDescription.sdp)
            await client.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            yield Pair(peer, client, channel, answer)
        finally:
            await client.close()
            await peer.close()


@asynccontextmanager
async def paired(direction: str = "sendrecv") -> AsyncIterator[Pair]:
    """A call whose connection stands."""
    async with answered(direction=direction) as pair:
        assert await pair.peer.connected(PATIENCE_S)
        yield pair
