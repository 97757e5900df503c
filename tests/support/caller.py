"""A caller in process: a real aiortc peer with a microphone that a test speaks into."""

from __future__ import annotations

import asyncio
import fractions
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import RtpPacket

from tests.support.voice import Samples

RATE = 48_000
FRAME = RATE // 50
PATIENCE_S = 60  # far more than any step takes on a busy machine
LONGEST_PAUSE = RATE * 60  # samples; a caller who waits for longer is not looked at
CODEC_MS = 200  # by then the codec has come to rest behind an answer


class Microphone(MediaStreamTrack):
    """Plays what it was given, then silence, in real time."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._queued: deque[Samples] = deque()
        self._start: float | None = None
        self._frames = 0
        self._quiet = asyncio.Event()

    def speak(self, samples: Samples) -> None:
        """Queue samples at 48 kHz."""
        for start in range(0, len(samples), FRAME):
            piece = samples[start : start + FRAME]
            self._queued.append(np.pad(piece, (0, FRAME - len(piece))))
        self._quiet.clear()

    async def finished(self) -> None:
        """All that was queued has been sent."""
        await self._quiet.wait()

    async def recv(self) -> av.AudioFrame:
        loop = asyncio.get_running_loop()
        self._start = self._start if self._start is not None else loop.time()
        await asyncio.sleep(max(0.0, self._start + self._frames * 0.02 - loop.time()))
        if self.readyState != "live":
            raise MediaStreamError
        if not self._queued:
            self._quiet.set()
        piece = self._queued.popleft() if self._queued else np.zeros(FRAME, np.int16)
        frame = av.AudioFrame.from_ndarray(piece.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        frame.pts = self._frames * FRAME
        frame.time_base = fractions.Fraction(1, RATE)
        self._frames += 1
        return frame


class Ear:
    """Decodes each packet as it comes, in the place of aiortc's jitter buffer: that one drops
    packets which a busy machine hands over in one go, and adds a delay that varies."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.heard: list[Samples] = []
        self.samples = 0
        self.packets: list[tuple[int, int]] = []
        self._changed = changed
        self._decoder = av.CodecContext.create("libopus", "r")
        assert isinstance(self._decoder, av.AudioCodecContext)
        self._decoder.sample_rate = RATE
        self._decoder.layout = "mono"
        self._decoder.format = "s16"

    def attach(self, receiver: RTCRtpReceiver) -> None:
        name = "_RTCRtpReceiver__jitter_buffer"
        assert hasattr(receiver, name), "aiortc's receiver has changed"
        setattr(receiver, name, self)

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        """What aiortc's receiver calls for each packet: nothing is left for it to decode."""
        if self.packets:  # in silence hardly anything is sent
            missing = (packet.timestamp - self.packets[-1][1]) % (1 << 32) - FRAME
            self._add(np.zeros(missing if missing < LONGEST_PAUSE else 0, np.int16))
        self.packets.append((packet.sequence_number, packet.timestamp))
        for frame in self._decoder.decode(av.Packet(packet.payload)):
            assert isinstance(frame, av.AudioFrame)
            self._add(frame.to_ndarray().reshape(-1).astype(np.int16))
        self._changed()
        return False, None

    def _add(self, samples: Samples) -> None:
        self.heard.append(samples)
        self.samples += len(samples)


class Caller:
    """One call and what came of it: events, each with how much had been heard `at` that time
    (in samples, 48 kHz), and the number and time of each packet of its audio."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        network: RTCConfiguration | None = None,
    ) -> None:
        self.id = self.token = ""
        self.events: list[dict[str, Any]] = []
        self.microphone = Microphone()
        self.pc = RTCPeerConnection(network or RTCConfiguration(iceServers=[]))
        self._http = session
        self._url = url
        self._changed = asyncio.Event()
        self._ear = Ear(self._changed.set)
        self.channel: RTCDataChannel = self.pc.createDataChannel("inzwa")
        self.channel.on("message", self._on_message)
        self.pc.addTrack(self.microphone)
        self._ear.attach(self.pc.getTransceivers()[0].receiver)

    @property
    def packets(self) -> list[tuple[int, int]]:
        """Sequence number and timestamp of each packet, as they came."""
        return self._ear.packets

    async def connect(self, **session: Any) -> None:
        await self._connect("/v1/calls", 201, session=session)

    async def take_up(self, call_id: str, token: str, after: int = 0) -> None:
        """Become the connection of a call that lives."""
        self.token = token
        await self._connect(f"/v1/calls/{call_id}/resume", 200, after=after)

    async def _connect(self, path: str, status: int, **members: Any) -> None:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        offer = {"sdp": self.pc.localDescription.sdp, "type": "offer", **members}
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        url = f"{self._url}{path}"
        async with self._http.post(url, json=offer, headers=headers) as response:
            answer = await response.json()
            assert response.status == status, answer
        self.id, self.token = answer["id"], answer["call_token"]
        await self.pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))

    def vanish(self) -> None:
        """The network fails: nothing is sent any more, not even a farewell, nor received."""
        connection: Any = self.pc.getTransceivers()[0].sender.transport.transport._connection
        for protocol in connection._protocols:
            protocol.transport.sendto = protocol.datagram_received = _lost

    async def close(self) -> None:
        await self.pc.close()

    def send(self, **message: Any) -> None:
        self.channel.send(json.dumps(message))

    async def say(self, samples: Samples) -> None:
        """Speak these samples (48 kHz) into the microphone."""
        self.microphone.speak(samples)

    async def told(
        self, kind: str, where: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        """The first event of this type (and property), now or later."""
        await self._until(lambda: any(where(event) for event in self.all(kind)), kind)
        return next(event for event in self.all(kind) if where(event))

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    def audio(self) -> Samples:
        """All that was heard, 48 kHz mono."""
        heard = self._ear.heard
        return np.concatenate(heard) if heard else np.zeros(0, np.int16)

    async def answer(self, turn: int) -> Samples:
        """What was heard of a turn, once it has been spoken to its end."""
        start = await self.told("tts.start", lambda event: event["turn"] == turn)
        end = await self.told("tts.end", lambda event: event["turn"] == turn)
        return (await self.heard(end["at"] + CODEC_MS * RATE // 1000))[start["at"] - FRAME :]

    async def heard(self, samples: int) -> Samples:
        """The first so many samples of the call, once they have been heard."""
        await self._until(lambda: self._ear.samples >= samples, "audio")
        return self.audio()[:samples]

    async def _until(self, condition: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"waited in vain for {what}: {self.events}") from None

    def _on_message(self, message: str) -> None:
        self.events.append({**json.loads(message), "at": self._ear.samples})
        self._changed.set()


def _lost(*_: object) -> None:
    """Where everything goes once the network has failed."""


@asynccontextmanager
async def taking_up(url: str, call_id: str, token: str, after: int = 0) -> AsyncIterator[Caller]:
    """A connected call that was there before."""
    async with aiohttp.ClientSession() as http:
        caller = Caller(http, url)
        try:
            await caller.take_up(call_id, token, after)
            await caller.told("session.resumed")
            yield caller
        finally:
            await caller.close()


@asynccontextmanager
async def calling(url: str, **session: Any) -> AsyncIterator[Caller]:
    """A connected call."""
    async with aiohttp.ClientSession() as http:
        caller = Caller(http, url)
        try:
            await caller.connect(**session)
            await caller.told("session.started")
            yield caller
        finally:
            await caller.close()


async def make_offer(with_video: bool = False) -> tuple[RTCPeerConnection, str]:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    pc.createDataChannel("inzwa")
    pc.addTransceiver("audio")
    if with_video:
        pc.addTransceiver("video")
    await pc.setLocalDescription(await pc.createOffer())
    return pc, pc.localDescription.sdp
