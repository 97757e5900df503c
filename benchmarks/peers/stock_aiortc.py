"""Unchanged aiortc: its jitter buffer, decoder and encoder, Silero, a tone; no engines at all."""

from __future__ import annotations

import asyncio

import av
import numpy as np
from aiohttp import web
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

from benchmarks.answer import RATE, SAMPLES, Answer
from benchmarks.peers.shared import SENTENCES, WINDOW, Given, Silero, Turns, given, tone

_TONE = tone(RATE).reshape(-1, SAMPLES)


class Call:
    """One call."""

    def __init__(self, silero: Silero, silence_ms: int) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._answer = Answer(_TONE)
        self._vad = silero.stream()
        self._turns = Turns(silence_ms)
        self._listening: asyncio.Task[None] | None = None
        self.pc.on("track", self._on_track)

    async def accept(self, sdp: str) -> str:
        """The SDP of the answer."""
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        self.pc.addTrack(self._answer)
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        return str(self.pc.localDescription.sdp)

    async def close(self) -> None:
        """End the call."""
        if self._listening is not None:
            self._listening.cancel()
        await self.pc.close()

    def _on_track(self, track: MediaStreamTrack) -> None:
        self._listening = asyncio.create_task(self._listen(track))

    async def _listen(self, track: MediaStreamTrack) -> None:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
        waiting = np.zeros(0, np.int16)
        try:
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.AudioFrame)
                parts = [part.to_ndarray()[0] for part in resampler.resample(frame)]
                waiting = np.concatenate([waiting, *parts])
                while len(waiting) >= WINDOW:
                    self._hear(waiting[:WINDOW])
                    waiting = waiting[WINDOW:]
        except MediaStreamError:
            return

    def _hear(self, window: np.ndarray[tuple[int], np.dtype[np.int16]]) -> None:
        for event in self._turns.feed(self._vad.judge(window)):
            match event:
                case "hold":
                    self._answer.is_held = True
                case "release":
                    self._answer.is_held = False
                case "cut":
                    self._answer.frames_left = 0
                case "end":
                    self._answer.is_held = False
                    self._answer.frames_left = SENTENCES * len(_TONE)


def application(options: Given) -> web.Application:
    """Answers `POST /v1/calls` as ours does, and keeps the calls alive."""
    calls: set[Call] = set()
    silero = Silero.of(options.silero)

    async def ready(request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def accept(request: web.Request) -> web.Response:
        offer = await request.json()
        call = Call(silero, options.silence_ms)
        calls.add(call)

        @call.pc.on("connectionstatechange")
        async def changed() -> None:
            if call.pc.connectionState in ("closed", "failed"):
                calls.discard(call)
                await call.close()

        sdp = await call.accept(offer["sdp"])
        return web.json_response({"sdp": sdp, "type": "answer"}, status=201)

    async def end(app: web.Application) -> None:
        for call in list(calls):
            await call.close()

    app = web.Application()
    app.router.add_get("/readyz", ready)
    app.router.add_post("/v1/calls", accept)
    app.on_shutdown.append(end)
    return app


if __name__ == "__main__":
    told = given()
    web.run_app(application(told), host="127.0.0.1", port=told.port, print=None)
