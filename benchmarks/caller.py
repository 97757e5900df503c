"""Callers that note when each packet left and came, on the clock of this process.

Nothing is added to what came over the network: Opus packets are decoded as they
arrive (no jitter buffer), and speech is encoded before the call begins.
"""

from __future__ import annotations

import asyncio
import fractions
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import aiohttp
import av
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import RtpPacket

from benchmarks.ear import Ear
from benchmarks.mouth import Mouth, silent_packet
from inzwa_rtc.audio.frame import FRAME_MS, frame_bytes
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE
from inzwa_rtc.transport import rtp
from inzwa_rtc.transport.pace import Pacer
from inzwa_rtc.transport.receiver import OpusReceiver

_RTP_CLOCK = 48_000
_TICKS = _RTP_CLOCK * FRAME_MS // 1000


class Caller(Protocol):
    """One call."""

    ear: Ear
    mouth: Mouth
    asked_at: float
    """When the request for the call left."""

    async def connect(self) -> None:
        """Place the call and begin to send."""
        ...

    async def close(self) -> None:
        """Hang up."""
        ...


class WebRtcCaller:
    """A call over WebRTC, by aiortc; `url` is the server's."""

    def __init__(self, http: aiohttp.ClientSession, url: str, *, decodes: bool = True) -> None:
        self.ear = Ear()
        self.mouth = Mouth(silent_packet(), lambda phrase: phrase.packets)
        self.asked_at = 0.0
        self.answered_at = 0.0
        self._http = http
        self._url = url
        self._decodes = decodes
        self._track = _Packets(self.mouth)
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._channel = self._pc.createDataChannel("inzwa")
        self._channel.on("message", self.ear.put_event)
        self._pc.addTrack(self._track)
        self._listen(self._pc.getTransceivers()[0].receiver)

    async def connect(self) -> None:
        await self._pc.setLocalDescription(await self._pc.createOffer())
        offer = {"sdp": self._pc.localDescription.sdp, "type": "offer"}
        self.asked_at = _now()
        async with self._http.post(f"{self._url}/v1/calls", json=offer) as response:
            answer = await response.json()
            if response.status != 201:
                raise RuntimeError(f"The server refused the call: {answer}")
        self.answered_at = _now()
        await self._pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))

    async def close(self) -> None:
        if self._channel.readyState == "open":
            self._channel.send(json.dumps({"type": "stop"}))
            await asyncio.sleep(0.05)
        await self._pc.close()

    def _listen(self, receiver: RTCRtpReceiver) -> None:
        name = "_RTCRtpReceiver__jitter_buffer"
        if not hasattr(receiver, name):
            raise RuntimeError("aiortc's receiver has changed: no jitter buffer to replace")
        setattr(receiver, name, _Decoder(self.ear) if self._decodes else _Counter(self.ear))


class SocketCaller:
    """A call over the WebSocket: PCM16 at 16 kHz both ways."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.ear = Ear()
        self.mouth = Mouth(bytes(frame_bytes(ASR_SAMPLE_RATE)), lambda phrase: phrase.frames)
        self.asked_at = 0.0
        self._http = http
        self._url = url
        self._ws: aiohttp.ClientWebSocketResponse | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def connect(self) -> None:
        self.asked_at = _now()
        self._ws = await self._http.ws_connect(f"{self._url}/v1/ws", compress=0)
        await self._ws.send_json({"type": "start", "out_sample_rate": ASR_SAMPLE_RATE})
        self._tasks = [
            asyncio.create_task(self._read(self._ws)),
            asyncio.create_task(self._send(self._ws)),
        ]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._ws is not None:
            await self._ws.close()

    async def _read(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        async for message in ws:
            if message.type == aiohttp.WSMsgType.BINARY:
                self.ear.put_audio(message.data)
            elif message.type == aiohttp.WSMsgType.TEXT:
                self.ear.put_event(message.data)

    async def _send(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        pacer = Pacer(_now())
        while True:
            _, wait = pacer.next_frame(_now())
            await asyncio.sleep(wait)
            await ws.send_bytes(self.mouth.next(_now()))


class _Packets(MediaStreamTrack):
    """Hands aiortc finished packets, 20 ms apart."""

    kind = "audio"

    def __init__(self, mouth: Mouth) -> None:
        super().__init__()
        self._mouth = mouth
        self._pacer: Pacer | None = None

    async def recv(self) -> av.Packet[Any]:
        if self.readyState != "live":
            raise MediaStreamError
        self._pacer = self._pacer or Pacer(_now())
        number, wait = self._pacer.next_frame(_now())
        await asyncio.sleep(wait)
        packet = av.Packet(self._mouth.next(_now()))
        packet.pts = number * _TICKS
        packet.time_base = fractions.Fraction(1, _RTP_CLOCK)
        return packet


class _Decoder:
    """In the place of aiortc's jitter buffer: decodes each packet as it comes."""

    def __init__(self, ear: Ear) -> None:
        self._receiver = OpusReceiver(ear)

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        number, at = packet.sequence_number, packet.timestamp
        self._receiver.push(rtp.RtpPacket(number, at, packet.payload, packet.ssrc), _now())
        self._receiver.take(_now())
        self._receiver.decode()
        return False, None


class _Counter:
    """In the place of aiortc's jitter buffer: notes that packets came, without decoding. What has
    no more than Opus' first byte holds no sound (RFC 6716, 3.1)."""

    def __init__(self, ear: Ear) -> None:
        self._ear = ear

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        self._ear.note(len(packet.payload) > 1)
        return False, None


@asynccontextmanager
async def calling(caller: Caller) -> AsyncIterator[None]:
    """The call lasts as long as the block."""
    try:
        await caller.connect()
        yield
    finally:
        await caller.close()


def _now() -> float:
    return asyncio.get_running_loop().time()
