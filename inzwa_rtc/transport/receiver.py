"""The inward path of a WebRTC call: RTP packets to 16 kHz frames, with no delay added.

aiortc's receiver keeps its RTCP statistics, but its jitter buffer (80 ms at
best, 280 ms after one loss) and its decoder (48 kHz stereo in a thread) are
passed over: this class stands in the buffer's place, takes each packet and
tells the receiver that there is nothing to decode.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from aiortc import RTCRtpReceiver
from aiortc.rtp import RtpPacket

from inzwa_rtc.audio.opus import OpusDecoder
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE
from inzwa_rtc.errors import PeerError
from inzwa_rtc.transport.jitterbuffer import Lost, ReorderBuffer

RTP_CLOCK = 48_000  # RFC 7587: Opus counts at 48 kHz whatever it carries
_STREAMS = "_RTCRtpReceiver__remote_streams"  # the public statistics can only be awaited

MAX_CONCEALED = 3  # beyond 60 ms concealment is noise; silence stands in


class AudioSink(Protocol):
    """Takes the decoded audio."""

    def put_audio(self, pcm: bytes) -> None:
        """int16 LE mono 16 kHz."""
        ...


class OpusReceiver:
    """Decodes one caller's RTP stream into `sink`."""

    def __init__(self, sink: AudioSink, clock: Callable[[], float] | None = None) -> None:
        self.packets = 0
        self.bad_packets = 0
        self.concealed_frames = 0
        self.buffer = ReorderBuffer()
        self._sink = sink
        self._decoder = OpusDecoder(ASR_SAMPLE_RATE)
        self._clock = clock or asyncio.get_running_loop().time
        self._receiver: RTCRtpReceiver | None = None

    @property
    def jitter_ms(self) -> float:
        """Of the packets' arrival (RFC 3550, section 6.4.1)."""
        streams = getattr(self._receiver, _STREAMS, {}).values()
        ticks = max((stream.jitter for stream in streams), default=0)
        return round(ticks * 1000 / RTP_CLOCK, 1)

    def attach(self, receiver: RTCRtpReceiver) -> None:
        """Take the place of the receiver's jitter buffer."""
        name = "_RTCRtpReceiver__jitter_buffer"
        if not hasattr(receiver, name):  # a silent no-op would leave the caller unheard
            raise RuntimeError("aiortc's receiver has changed: no jitter buffer to replace")
        setattr(receiver, name, self)
        if not hasattr(receiver, _STREAMS):
            raise RuntimeError("aiortc's receiver has changed: no jitter to read")
        self._receiver = receiver

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        """What aiortc's receiver calls for each packet: no key frame wanted, none complete."""
        self.push(packet.sequence_number, packet.payload)
        return False, None

    def push(self, sequence: int, payload: bytes) -> None:
        """Take one RTP packet's Opus payload."""
        self.packets += 1
        concealed = 0
        for item in self.buffer.push(sequence, payload, self._clock()):
            if not isinstance(item, Lost):
                concealed = 0
                self._decode(item)
            elif concealed < MAX_CONCEALED:
                concealed += 1
                self._stand_in(item)

    def _decode(self, payload: bytes) -> None:
        try:
            self._sink.put_audio(self._decoder.decode(payload))
        except PeerError:
            self.bad_packets += 1
            self.concealed_frames += 1
            self._sink.put_audio(self._decoder.conceal())

    def _stand_in(self, lost: Lost) -> None:
        self.concealed_frames += 1
        try:
            self._sink.put_audio(self._decoder.recover(lost.following))
        except PeerError:
            self._sink.put_audio(self._decoder.conceal())
