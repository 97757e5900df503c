"""When a caller over WebRTC was last heard from, as aioice and aiortc tell it."""

from __future__ import annotations

import asyncio

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from inzwa_rtc.conversation.peer import Command
from inzwa_rtc.settings import Settings
from inzwa_rtc.transport.webrtc import WebRtcPeer
from signaling.dialects.native import NativeDialect
from tests.support.listening import Steered
from tests.support.ticking import ticking

PATIENCE_S = 30


async def test_a_caller_who_only_listens_is_heard_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """No audio comes of them: their machine answers the checks of the path."""
    monkeypatch.setattr("aioice.ice.CONSENT_INTERVAL", 0.02)
    settings = Settings()
    client = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    client.addTransceiver("audio", "recvonly")
    await client.setLocalDescription(await client.createOffer())
    async with ticking() as clock:
        peer = WebRtcPeer[Command](settings, NativeDialect(settings.limits), clock, Steered())
        try:
            answer = await peer.answer(client.localDescription.sdp)
            await client.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            assert await peer.connected(PATIENCE_S)
            heard = peer.last_heard
            async with asyncio.timeout(PATIENCE_S):
                while peer.last_heard == heard:  # noqa: ASYNC110 - nobody tells of it
                    await asyncio.sleep(0.01)
            assert peer.statistics()["packets"] == 0
        finally:
            await client.close()
            await peer.close()


async def test_a_client_that_closes_the_connection_says_so() -> None:
    settings = Settings()
    client = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    client.addTransceiver("audio")
    await client.setLocalDescription(await client.createOffer())
    async with ticking() as clock:
        peer = WebRtcPeer[Command](settings, NativeDialect(settings.limits), clock, Steered())
        try:
            answer = await peer.answer(client.localDescription.sdp)
            await client.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            assert await peer.connected(PATIENCE_S)
            before = peer.departure
            await client.close()
            async with asyncio.timeout(PATIENCE_S):
                async for _ in peer.receive():
                    pass
            assert (before, peer.departure) == ("lost", "closed")
        finally:
            await peer.close()
