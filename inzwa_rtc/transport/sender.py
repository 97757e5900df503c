"""The outward path of a WebRTC call: playout frames to Opus packets, 20 ms apart."""

from __future__ import annotations

import asyncio
import fractions
from functools import cache
from typing import Any

import av
from aiortc import MediaStreamTrack, RTCRtpSender
from aiortc.mediastreams import MediaStreamError

from inzwa_rtc.audio.frame import FRAME_MS, PlayoutFrame, frame_bytes
from inzwa_rtc.audio.opus import OpusEncoder
from inzwa_rtc.playout.playout import Playout
from inzwa_rtc.transport.pace import Pacer
from inzwa_rtc.transport.receiver import RTP_CLOCK

OUT_SAMPLE_RATE = 24_000
_TICKS = RTP_CLOCK * FRAME_MS // 1000
CLIENT_BUFFER_MS = 60  # what a browser's jitter buffer holds on a quiet network
_MEASURE_FRAMES = 50
_RTT = "_RTCRtpSender__rtt"  # from RTCP; the public statistics can only be awaited
_TAIL_FRAMES = 10  # encode this much silence after speech, so that the codec settles
_SILENCE = bytes(frame_bytes(OUT_SAMPLE_RATE))


class OpusTrack(MediaStreamTrack):
    """Hands aiortc finished packets, which pass its own 96 kbit/s stereo encoder by.

    What was encoded before is sent as it is. Silence longer than the tail costs no encoding
    either: one silent packet is sent again and again.
    """

    kind = "audio"

    def __init__(self, bitrate: int) -> None:
        super().__init__()
        self.encodes = 0  # frames encoded so far
        self._bitrate = bitrate
        self._encoder = OpusEncoder(OUT_SAMPLE_RATE, bitrate)
        self._tail = 0  # frames of silence yet to be encoded
        self._is_behind = False  # packets were sent that the encoder knows nothing of
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
        playout.takes_packets = True
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
        packet = av.Packet(self._packet(self._playout.pull() if self._playout else None))
        packet.pts = number * _TICKS
        packet.time_base = fractions.Fraction(1, RTP_CLOCK)
        return packet

    def _packet(self, frame: PlayoutFrame | None) -> bytes:
        if frame is None:
            return self._silent()
        if frame.packet:
            # Where a hold has torn a phrase in two, its packets go on all the same: a decoder
            # that has heard silence in between is back on the sound after a frame or two, and
            # more gently than if encoding began in the middle of it.
            self._is_behind = True
            self._tail = 0  # a packet of silence ends its sound well, wherever it stops
            return frame.packet
        self._tail = _TAIL_FRAMES
        return self._encode(frame.pcm)

    def _silent(self) -> bytes:
        if not self._tail:
            return _silent_packet(self._bitrate)
        self._tail -= 1
        return self._encode(_SILENCE)

    def _encode(self, pcm: bytes) -> bytes:
        if self._is_behind:
            # What it encoded last is not what was decoded last: rely on none of it.
            self._encoder.reset()
            self._is_behind = False
        self.encodes += 1
        return self._encoder.encode(pcm)


@cache
def _silent_packet(bitrate: int) -> bytes:
    """A packet from within long silence."""
    encoder = OpusEncoder(OUT_SAMPLE_RATE, bitrate)
    return [encoder.encode(_SILENCE) for _ in range(_TAIL_FRAMES + 1)][-1]
