"""The inward path of a WebRTC call: RTP packets to 16 kHz audio, with no delay added.

aiortc's jitter buffer (80 ms at best, 280 ms after one loss) and its decoder (48 kHz stereo in
a thread) are passed over: packets wait in our own buffer until the next tick of the clock, and
are decoded there, straight to the rate that recognisers take.

What is missing is recovered from the FEC data of the packet after it, else concealed by the
decoder, which carries on with the last sound. Beyond 60 ms of a voice that would be noise: it
is faded out, and exact silence follows. Noise is carried on for longer than the pauses between
two packets of a sender that sends little while nobody speaks (DTX): noise that came and went
with its packets would sound to a voice detector a little like speech.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from inzwa_rtc.audio.frame import BYTES_PER_SAMPLE, FRAME_MS, frame_bytes
from inzwa_rtc.audio.opus import MAX_PACKET_MS, OpusDecoder
from inzwa_rtc.audio.opus_packet import TICKS_PER_MS, frame_ticks, may_be_voice, packet_ticks
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE
from inzwa_rtc.errors import PeerError
from inzwa_rtc.transport.jitterbuffer import TICK_S, JitterBuffer, Missing
from inzwa_rtc.transport.rtp import RTP_CLOCK, RtpPacket

MAX_VOICE_MS = 60  # invented voice is no voice beyond that
LONGEST_S = 1.0  # nobody asks for so long but at first
MOST_WAITING = 32  # packets; by then whoever wants to hear them is late, or there is nobody
MAX_NOISE_MS = 500  # with DTX, libopus sends a packet every 400 ms

_TICKS_PER_SAMPLE = RTP_CLOCK // ASR_SAMPLE_RATE
_PIECE_TICKS = MAX_PACKET_MS * TICKS_PER_MS // 2  # well within what the decoder takes at once
_FADE = np.linspace(1.0, 0.0, ASR_SAMPLE_RATE * FRAME_MS // 1000, dtype=np.float32)
_FADE_BYTES = frame_bytes(ASR_SAMPLE_RATE)


class AudioSink(Protocol):
    """Takes the decoded audio."""

    def put_audio(self, pcm: bytes) -> None:
        """int16 LE mono 16 kHz."""
        ...


@dataclass(frozen=True, slots=True)
class Network:
    """What became of the packets of a call so far.

    `lost` packets were not there when they were needed; `late` ones came, but too late.
    `refused` ones belong to no stream or came faster than any microphone sends. `concealed_ms`
    is audio of lost packets that nothing could restore; `jitter_ms` is that of RFC 3550,
    `buffer_ms` how long packets wait here, both lately.
    """

    received: int
    lost: int
    late: int
    duplicates: int
    refused: int
    concealed_ms: int
    jitter_ms: float
    buffer_ms: float


class OpusReceiver:
    """Decodes one caller's RTP stream into `sink`."""

    def __init__(self, sink: AudioSink) -> None:
        self.bad_packets = 0
        self.buffer = JitterBuffer()
        self._sink = sink
        self._waiting: list[RtpPacket | Missing] = []
        self._asked_at = 0.0  # for what was due then
        self._decoder = OpusDecoder(ASR_SAMPLE_RATE)
        self._concealed_ticks = 0
        self._invented_ticks = 0  # since the last audio that was sent
        self._last = b""  # the packet with that audio

    def network(self) -> Network:
        """What became of the packets so far."""
        buffer = self.buffer
        return Network(
            received=buffer.received,
            lost=buffer.lost,
            late=buffer.late,
            duplicates=buffer.duplicates,
            refused=buffer.refused,
            concealed_ms=self._concealed_ticks // TICKS_PER_MS,
            jitter_ms=round(buffer.jitter_s * 1000, 1),
            buffer_ms=round(buffer.delay_s * 1000, 1),
        )

    @property
    def is_empty(self) -> bool:
        """Whether no packet waits here, to be due or to be decoded."""
        return not self._waiting and self.buffer.is_empty

    def push(self, packet: RtpPacket, now: float) -> None:
        """A packet arrived at this time, after all that were pushed before it."""
        self._pass_time(now)
        self.buffer.push(packet, now)

    def take(self, now: float) -> None:
        """Take what is due, to be decoded when anybody wants to hear it. Whatever was pushed late,
        and however long it is since the last time, the buffer gives what it would have given if
        it had been asked every 20 ms."""
        self._pass_time(now - TICK_S / 2)
        self._asked_at = now
        self._waiting += self.buffer.take(now)
        if len(self._waiting) > MOST_WAITING:
            self.decode()

    def decode(self) -> None:
        """Give the sink the audio that was due. Of several packets at once it takes a fraction
        of the time that it takes one by one."""
        waiting, self._waiting = self._waiting, []
        for item in waiting:
            if isinstance(item, RtpPacket):
                self._hear(item)
            else:
                self._fill(item)

    def _pass_time(self, until: float) -> None:
        if until - self._asked_at > LONGEST_S:
            self._asked_at = until
        while self._asked_at + TICK_S <= until:
            self._asked_at += TICK_S
            self._waiting += self.buffer.take(self._asked_at)

    def _hear(self, packet: RtpPacket) -> None:
        if not packet.payload:
            return
        try:
            pcm = self._decoder.decode(packet.payload)
        except PeerError:
            self.bad_packets += 1
            ticks = packet_ticks(packet.payload)
            self._concealed_ticks += ticks
            self._invent(ticks)
            return
        self._invented_ticks = 0
        self._last = packet.payload
        self._sink.put_audio(pcm)

    def _fill(self, missing: Missing) -> None:
        ticks, following = missing.ticks, missing.following
        restorable = 0
        if following and self._decoder.has_fec(following):
            restorable = min(ticks, frame_ticks(following))
        self._invent(ticks - restorable)
        restored = self._restore(following, restorable) if restorable else 0
        self._concealed_ticks += max(0, missing.lost * packet_ticks(following) - restored)

    def _restore(self, following: bytes, ticks: int) -> int:
        """The last ticks before the packet, which it has as well; how many it had."""
        try:
            pcm = self._decoder.recover(following, frame_ticks(following) // _TICKS_PER_SAMPLE)
        except PeerError:  # it is counted when the packet itself is decoded
            self._invent(ticks)
            return 0
        self._invented_ticks = 0
        self._sink.put_audio(pcm[-(ticks // _TICKS_PER_SAMPLE * BYTES_PER_SAMPLE) :])
        return ticks

    def _invent(self, ticks: int) -> None:
        """Carry on with the last sound for so long, or as long as that is any good."""
        most_ms = MAX_VOICE_MS if may_be_voice(self._last) else MAX_NOISE_MS
        left = most_ms * TICKS_PER_MS - self._invented_ticks
        while ticks > 0 and left > 0:
            piece = min(ticks, left, _PIECE_TICKS)
            pcm = self._decoder.conceal(piece // _TICKS_PER_SAMPLE)
            self._sink.put_audio(_fade_out(pcm) if piece == left else pcm)
            self._invented_ticks += piece
            left -= piece
            ticks -= piece
        if ticks > 0:
            self._sink.put_audio(bytes(ticks // _TICKS_PER_SAMPLE * BYTES_PER_SAMPLE))


def _fade_out(pcm: bytes) -> bytes:
    """The same audio, falling to silence within its last 20 ms."""
    end = pcm[-_FADE_BYTES:]
    faded = np.frombuffer(end, "<i2") * _FADE[-len(end) // BYTES_PER_SAMPLE :]
    return pcm[: -len(end)] + faded.astype("<i2").tobytes()
