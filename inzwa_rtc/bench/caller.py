"""One caller over WebRTC: a call is placed, spoken into, listened to and ended."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from inzwa_rtc.bench.clock import SendClock
from inzwa_rtc.bench.door import Door, NoCall
from inzwa_rtc.bench.ear import Ear
from inzwa_rtc.bench.mouth import Mouth
from inzwa_rtc.bench.tap import Tap

SET_UP_S = 15.0
_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"


class Caller:
    """A call at `url`, which is placed by `connect`. Times are `time.monotonic`."""

    def __init__(self, url: str, door: Door, key: str | None = None) -> None:
        self.ear = Ear()
        self.mouth: Mouth
        self.asked_at = 0.0
        """When the request for the call left."""
        self.connected_at = 0.0
        """When media could flow, by ICE and DTLS."""
        self.lost = False
        """Whether the connection has failed since."""
        self.cut_at = 0.0
        """When the server last said that it had cancelled a turn."""
        self._url = url
        self._door = door
        self._key = key
        # Without iceServers=[] aiortc asks a public STUN server.
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._settled = asyncio.Event()
        self._pc.on("connectionstatechange", self._on_state)
        self._pc.createDataChannel(door.channel).on("message", self._on_message)
        self._pc.addTrack(_Parked())
        self._tap: Tap | None = None

    async def connect(self, http: aiohttp.ClientSession, clock: SendClock) -> None:
        """Place the call, and begin to send. Raises `Refused`, `NotLetIn` and `NoCall`."""
        await self._pc.setLocalDescription(await self._pc.createOffer())
        offer = self._pc.localDescription.sdp
        self._tap = tap = Tap(self._pc, self.ear.put)
        self.asked_at = time.monotonic()
        try:
            async with asyncio.timeout(SET_UP_S):
                answer = await self._door.answer(http, self._url, offer, self._key)
                await self._pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
                await self._settled.wait()
        except TimeoutError:
            raise _no_media() from None
        if self.lost:
            raise _no_media()
        tap.open()
        self.mouth = Mouth(_ssrc(offer), _opus(answer), _level_id(answer))
        clock.add(self)

    def speak(self, now: float) -> None:
        """Send the next packet."""
        assert self._tap is not None
        self._tap.send(self.mouth.next(now))

    async def close(self, clock: SendClock) -> None:
        """Hang up."""
        clock.remove(self)
        self._pc.remove_all_listeners("connectionstatechange")  # this is no loss
        await self._pc.close()

    def _on_state(self) -> None:
        match self._pc.connectionState:
            case "connected":
                self.connected_at = time.monotonic()
                self._settled.set()
            case "failed" | "closed":
                self.lost = True
                self._settled.set()

    def _on_message(self, message: str | bytes) -> None:
        # Nearly all messages are others: they are not read.
        if self._door.cut is not None and isinstance(message, str) and self._door.cut in message:
            self.cut_at = time.monotonic()


class _Parked(MediaStreamTrack):
    """Never gives a frame: packets are sent past aiortc's sender, which waits here."""

    kind = "audio"

    async def recv(self) -> None:  # type: ignore[override]
        await asyncio.Event().wait()


@asynccontextmanager
async def calling(
    caller: Caller, http: aiohttp.ClientSession, clock: SendClock
) -> AsyncIterator[Caller]:
    """The call lasts as long as the block."""
    try:
        await caller.connect(http, clock)
        yield caller
    finally:
        await caller.close(clock)


def _no_media() -> NoCall:
    return NoCall(
        f"The call was answered, but no media connection came about within {SET_UP_S:.0f} s.",
        action="See that UDP between this machine and the server is let through.",
    )


def _ssrc(sdp: str) -> int:
    match = re.search(r"^a=ssrc:(\d+) cname:", sdp, re.M)
    assert match, "aiortc's offer names its stream"
    return int(match[1])


def _opus(sdp: str) -> int:
    """The payload type that the answer has for Opus."""
    match = re.search(r"^a=rtpmap:(\d+) opus/48000/2", sdp, re.M)
    if match is None:
        raise NoCall("The server's answer has no Opus.", action="Have it accept Opus.")
    return int(match[1])


def _level_id(sdp: str) -> int | None:
    match = re.search(rf"^a=extmap:(\d+)(?:/\w+)? {_LEVEL}", sdp, re.M)
    return int(match[1]) if match else None
