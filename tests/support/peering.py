"""A server's end of a call over WebRTC and its caller, both in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aioice.ice import Connection
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from inzwa_rtc.conversation.peer import Command
from inzwa_rtc.settings import Settings
from inzwa_rtc.transport.webrtc import WebRtcPeer
from signaling.dialects.native import NativeDialect
from tests.support.listening import Steered
from tests.support.ticking import ticking

PATIENCE_S = 30


@dataclass
class Pair:
    """Both ends."""

    peer: WebRtcPeer[Command]
    client: RTCPeerConnection

    @property
    def connection(self) -> Connection:
        """ICE of the server's."""
        return self.peer._pc.getReceivers()[0].transport.transport._connection


@asynccontextmanager
async def paired() -> AsyncIterator[Pair]:
    """A call whose connection stands."""
    settings = Settings()
    client = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    client.createDataChannel("inzwa")
    client.addTransceiver("audio")
    await client.setLocalDescription(await client.createOffer())
    async with ticking() as clock:
        peer = WebRtcPeer[Command](settings, NativeDialect(settings.limits), clock, Steered())
        try:
            answer = await peer.answer(client.localDescription.sdp)
            await client.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            assert await peer.connected(PATIENCE_S)
            yield Pair(peer, client)
        finally:
            await client.close()
            await peer.close()
