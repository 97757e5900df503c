"""The outward path of a WebRTC call: playout frames to Opus packets, 20 ms apart."""

from __future__ import annotations

import asyncio
import fractions
from typing import Any

import av
from aiortc import MediaStreamTrack, RTCRtpSender
from aiortc.mediastreams import MediaStreamError

from inzwa_rtc.audio.frame import FRAME_MS, frame_bytes
from inzwa_rtc.audio.opus import OpusEncoder
from inzwa_rtc.playout.playout import Playout
from inzwa_rtc.transport.pace import Pacer

OUT_SAMPLE_RATE = 24_000
RTP_CLOCK = 48_000  # RFC 7587: Opus counts at 48 kHz whatever it carries
_TICKS = RTP_CLOCK * FRAME_MS // 1000
CLIENT_BUFFER_MS = 60  # what a browser's jitter buffer holds on a quiet network
_MEASURE_FRAMES = 50
_RTT = "_RTCRtpSender__rtt"  # from RTCP; the public statistics can only be awaited
_TAIL_FRAMES = 10  # encode this much silence after speech, so that the codec settles


class OpusTrack(MediaStreamTrack):
    """Hands aiortc finished packets, which pass its own 96 kbit/s stereo encoder by.

    Silence longer than the tail costs no encoding: one silent packet is sent again.
    """

    kind = "audio"

    def __init__(self, bitrate: int) -> None:
        super().__init__()
        self._bitrate = bitrate
        self._encoder = OpusEncoder(OUT_SAMPLE_RATE, bitrate)
        self._silence = bytes(frame_bytes(OUT_SAMPLE_RATE))
        self._silent_frames = 0
        self._silent_packet = b""
        self._playout: Playout | None = None
        self._pacer: Pacer | None = None
        self._sender: RTCRtpSender | None = None

    def watch(self, sender: RTCRtpSender) -> None:
        """Learn from this sender how long audio is under way."""
        if not hasattr(sender, _RTT):
            raise RuntimeError("aiortc's sender has changed: no round-trip time to read")
        self._sender = sender

    def play(self, playout: Playout) -> None:
        """Send what this playout gives from the next frame on."""
        self._playout = playout

    async def recv(self) -> av.Packet[Any]:
        """The next packet, when it is due."""
        if self.readyState != "live":
            raise MediaStreamError
        now = asyncio.get_running_loop().time()
        if self._pacer is None:
            self._pacer = Pacer(now)
        number, wait = self._pacer.next_frame(now)
        await asyncio.sleep(wait)
        if self._playout is not None and number % _MEASURE_FRAMES == 0:
            round_trip_s: float = getattr(self._sender, _RTT, None) or 0.0
            self._playout.transit_ms = CLIENT_BUFFER_MS + round(round_trip_s * 500)
        packet = av.Packet(self._encode(self._playout.pull() if self._playout else None))
        packet.pts = number * _TICKS
        packet.time_base = fractions.Fraction(1, RTP_CLOCK)
        return packet

    def _encode(self, pcm: bytes | None) -> bytes:
        if pcm is not None:
            self._silent_frames = 0
            return self._encoder.encode(pcm)
        self._silent_frames += 1
        if self._silent_frames <= _TAIL_FRAMES or not self._silent_packet:
            self._silent_packet = self._encoder.encode(self._silence)
        return self._silent_packet
