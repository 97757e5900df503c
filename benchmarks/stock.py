"""The floor: a server of stock aiortc parts with the same detector and no engines at all.

The caller's audio comes through aiortc's jitter buffer and decoder, a resampler,
the same voice and turn detectors and settings; the answer is a tone, at once, through
aiortc's encoder. What a server of ours takes longer is its engines; what it takes
less is its media path.

    python -m benchmarks.stock --port 8090
"""

from __future__ import annotations

import argparse
import asyncio
import json

import av
import numpy as np
from aiohttp import web
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

from benchmarks.answer import RATE, SAMPLES, Answer
from inzwa_rtc.audio.frame import Frame, frame_bytes
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE
from inzwa_rtc.settings import TurnSettings
from inzwa_rtc.turntaking.detector import (
    FalseAlarm,
    SpeechMaybe,
    SpeechStarted,
    TurnDetector,
    TurnEnded,
)
from inzwa_rtc.turntaking.vad import SileroVad

ANSWER_FRAMES = 200
_TIMES = np.arange(SAMPLES) / RATE
_TONE = (3000 * np.sin(2 * np.pi * 300 * _TIMES)).astype(np.int16).reshape(1, -1)


class StockCall:
    """One call."""

    def __init__(self) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._tone = Answer(_TONE)
        self._vad = SileroVad()
        self._detector = TurnDetector(TurnSettings())
        self._channel: RTCDataChannel | None = None
        self._listening: asyncio.Task[None] | None = None
        self._index = 0
        self.pc.on("track", self._on_track)
        self.pc.on("datachannel", self._on_channel)

    async def answer(self, sdp: str) -> str:
        """The SDP of the answer."""
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        self.pc.addTrack(self._tone)
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        return str(self.pc.localDescription.sdp)

    async def close(self) -> None:
        """End the call."""
        if self._listening is not None:
            self._listening.cancel()
        await self.pc.close()

    def _on_track(self, track: MediaStreamTrack) -> None:
        self._listening = asyncio.create_task(self._listen(track))

    def _on_channel(self, channel: RTCDataChannel) -> None:
        self._channel = channel
        self._tell("session.started")

    async def _listen(self, track: MediaStreamTrack) -> None:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=ASR_SAMPLE_RATE)
        size = frame_bytes(ASR_SAMPLE_RATE)
        waiting = b""
        try:
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.AudioFrame)
                for part in resampler.resample(frame):
                    waiting += part.to_ndarray().tobytes()
                while len(waiting) >= size:
                    self._hear(waiting[:size])
                    waiting = waiting[size:]
        except MediaStreamError:
            return

    def _hear(self, pcm: bytes) -> None:
        frame = Frame(pcm, ASR_SAMPLE_RATE, self._index)
        self._index += frame.samples
        for event in self._detector.feed(frame, self._vad.feed(pcm)):
            match event:
                case SpeechMaybe():
                    self._tone.is_held = True
                case FalseAlarm():
                    self._tone.is_held = False
                case SpeechStarted():
                    if self._tone.frames_left:
                        self._tell("turn.interrupted")
                    self._tone.frames_left = 0
                case TurnEnded():
                    self._tone.is_held = False
                    self._tone.frames_left = ANSWER_FRAMES

    def _tell(self, kind: str) -> None:
        if self._channel is not None and self._channel.readyState == "open":
            self._channel.send(json.dumps({"type": kind}))


class StockServer:
    """Answers `POST /v1/calls` as ours does, and keeps the calls alive."""

    def __init__(self) -> None:
        self._calls: set[StockCall] = set()

    def application(self) -> web.Application:
        """To be run."""
        app = web.Application()
        app.router.add_get("/readyz", self._ready)
        app.router.add_post("/v1/calls", self._answer)
        app.on_shutdown.append(self._close)
        return app

    async def _ready(self, request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _answer(self, request: web.Request) -> web.Response:
        offer = await request.json()
        call = StockCall()
        self._calls.add(call)

        @call.pc.on("connectionstatechange")
        async def changed() -> None:
            if call.pc.connectionState in ("closed", "failed"):
                self._calls.discard(call)
                await call.close()

        sdp = await call.answer(offer["sdp"])
        return web.json_response({"sdp": sdp, "type": "answer"}, status=201)

    async def _close(self, app: web.Application) -> None:
        for call in list(self._calls):
            await call.close()


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8090)
    port = parser.parse_args().port
    web.run_app(StockServer().application(), host="127.0.0.1", port=port, print=None)


if __name__ == "__main__":
    main()
