"""Receive paths without a network around them: packets with their times of arrival in, sound out.

Ours is `transport.receiver` with a tick every 20 ms. The other is what stock aiortc's receiver is
made of: its jitter buffer with the sizes that the receiver gives it, its decoder, and the
resampler that an application puts behind it. The thread between the two is left out.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiortc.rtp
import av
from aiortc.codecs.opus import OpusDecoder
from aiortc.jitterbuffer import JitterBuffer as StockBuffer

from inzwa_rtc.audio.frame import BYTES_PER_SAMPLE, FRAME_MS
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE
from inzwa_rtc.transport.jitterbuffer import JitterBuffer, Missing
from inzwa_rtc.transport.receiver import OpusReceiver
from inzwa_rtc.transport.rtp import RtpPacket

Arrivals = Sequence[tuple[float, RtpPacket]]

_TICK_S = FRAME_MS / 1000
_CAPACITY, _PREFETCH = 16, 4  # as aiortc's RTCRtpReceiver has them for audio
_TYPE = 111


@dataclass(slots=True)
class Received:
    """What came out: int16 LE mono 16 kHz, and when. Packets are named by their numbers."""

    pcm: bytearray = field(default_factory=bytearray)
    used_at: dict[int, float] = field(default_factory=dict)
    """When the sound of a packet was handed on,"""
    places: list[tuple[int, int]] = field(default_factory=list)
    """packets and where in the sound they begin, or a little before,"""
    handed_on: list[tuple[float, int]] = field(default_factory=list)
    """and how many bytes there were by when."""

    def use(self, number: int, now: float) -> None:
        """The packet's sound comes next."""
        self.used_at.setdefault(number, now)
        self.places.append((number, len(self.pcm)))

    def add(self, pcm: bytes, now: float) -> None:
        """Sound is handed on."""
        self.pcm += pcm
        self.handed_on.append((now, len(self.pcm)))

    def between(self, first: int, behind: int) -> bytes:
        """The sound from the first of these packets up to the one behind the last."""
        numbers = [number for number, _ in self.places]
        start, end = (bisect_left(numbers, number) for number in (first, behind))
        at = [place for _, place in self.places] + [len(self.pcm)]
        return bytes(self.pcm[at[start] : at[end]])


def ours(arrivals: Arrivals, phase_s: float, until: float) -> Received:
    """Our receiver, its ticks so much after whole 20 ms."""
    received = Received()
    buffer = _Watched(received)
    sink = _Sink(received)
    receiver = OpusReceiver(sink)
    receiver.buffer = buffer
    left = list(reversed(arrivals))
    now = phase_s
    while now < until:
        while left and left[-1][0] <= now:
            at, packet = left.pop()
            receiver.push(packet, at)
        sink.now = now
        receiver.take(now)
        receiver.decode()
        now += _TICK_S
    return received


def stock(arrivals: Arrivals) -> Received:
    """aiortc's parts, put together as in its receiver."""
    received = Received()
    buffer = StockBuffer(capacity=_CAPACITY, prefetch=_PREFETCH)
    decoder = OpusDecoder()
    resampler = av.AudioResampler(format="s16", layout="mono", rate=ASR_SAMPLE_RATE)
    numbers = {packet.timestamp: packet.sequence for _, packet in arrivals}
    for now, packet in arrivals:
        one = aiortc.rtp.RtpPacket(
            _TYPE, 0, packet.sequence, packet.timestamp, payload=packet.payload
        )
        one._data = packet.payload  # type: ignore[attr-defined]  # as `depayload` leaves it
        _, ready = buffer.add(one)
        if ready is None:
            continue
        received.use(numbers[ready.timestamp], now)
        for frame in decoder.decode(ready):
            assert isinstance(frame, av.AudioFrame)
            for part in resampler.resample(frame):
                received.add(part.to_ndarray().tobytes(), now)
    return received


def audio_ms(pcm_bytes: int) -> float:
    """How long so much sound at 16 kHz is."""
    return pcm_bytes / BYTES_PER_SAMPLE / ASR_SAMPLE_RATE * 1000


class _Watched(JitterBuffer):
    """Notes which packets are taken."""

    def __init__(self, received: Received) -> None:
        super().__init__()
        self._received = received

    def take(self, now: float) -> list[RtpPacket | Missing]:
        out = super().take(now)
        for item in out:
            if isinstance(item, RtpPacket):
                self._received.use(item.sequence, now)
        return out


class _Sink:
    def __init__(self, received: Received) -> None:
        self.now = 0.0
        self._received = received

    def put_audio(self, pcm: bytes) -> None:
        self._received.add(pcm, self.now)
