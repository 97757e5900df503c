"""The inward path of a WebRTC call: RTP packets to 16 kHz frames, with no delay added.

aiortc's receiver keeps its RTCP statistics, but its jitter buffer (80 ms at
best, 280 ms after one loss) and its decoder (48 kHz stereo in a thread) are
passed over: this class stands in the buffer's place, takes each packet and
tells the receiver that there is nothing to decode.
"""

from __future__ import annotations

from typing import Protocol

from inzwa_rtc.audio.opus import OpusDecoder
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE
from inzwa_rtc.errors import PeerError
from inzwa_rtc.transport.jitterbuffer import Lost, ReorderBuffer
from inzwa_rtc.transport.rtp import RtpPacket

MAX_CONCEALED = 3  # beyond 60 ms concealment is noise; silence stands in


class AudioSink(Protocol):
    """Takes the decoded audio."""

    def put_audio(self, pcm: bytes) -> None:
        """int16 LE mono 16 kHz."""
        ...


class OpusReceiver:
    """Decodes one caller's RTP stream into `sink`."""

    def __init__(self, sink: AudioSink) -> None:
        self.packets = 0
        self.bad_packets = 0
        self.concealed_frames = 0
        self.buffer = ReorderBuffer()
        self._sink = sink
        self._decoder = OpusDecoder(ASR_SAMPLE_RATE)
        self._due: list[bytes | Lost] = []

    def push(self, packet: RtpPacket, now: float) -> None:
        """Take one RTP packet's Opus payload."""
        self.packets += 1
        self._due += self.buffer.push(packet.sequence, packet.payload, now)

    def take(self, now: float) -> None:
        """Decode what is due."""
        due, self._due = self._due, []
        concealed = 0
        for item in due:
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
