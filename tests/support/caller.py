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
import numpy.typing as npt
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

RATE = 48_000
FRAME = RATE // 50
Samples = npt.NDArray[np.int16]


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


class Caller:
    """One call and what came of it."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.id = ""
        self.events: list[dict[str, Any]] = []
        self.heard: list[Samples] = []
        self.microphone = Microphone()
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._http = session
        self._url = url
        self._told = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.channel: RTCDataChannel = self.pc.createDataChannel("inzwa")
        self.channel.on("message", self._on_message)
        self.pc.addTrack(self.microphone)
        self.pc.on("track", self._on_track)

    async def connect(self, **session: Any) -> None:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        offer = {"sdp": self.pc.localDescription.sdp, "type": "offer", "session": session}
        async with self._http.post(f"{self._url}/v1/calls", json=offer) as response:
            answer = await response.json()
            assert response.status == 201, answer
        self.id = answer["id"]
        await self.pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.pc.close()

    def send(self, **message: Any) -> None:
        self.channel.send(json.dumps(message))

    async def told(
        self, kind: str, where: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        """The first event of this type (and property), now or later."""
        async with asyncio.timeout(30):
            while True:
                for event in self.events:
                    if event["type"] == kind and where(event):
                        return event
                self._told.clear()
                await self._told.wait()

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    def audio(self) -> Samples:
        """All that was heard, 48 kHz mono."""
        return np.concatenate(self.heard) if self.heard else np.zeros(0, np.int16)

    def _on_message(self, message: str) -> None:
        self.events.append(json.loads(message))
        self._told.set()

    def _on_track(self, track: MediaStreamTrack) -> None:
        self._tasks.append(asyncio.create_task(self._listen(track)))

    async def _listen(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.AudioFrame)
                stereo = frame.to_ndarray().reshape(-1, 2)
                self.heard.append(stereo.mean(axis=1).astype(np.int16))
        except MediaStreamError:
            return


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
