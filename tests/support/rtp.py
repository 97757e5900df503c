"""A stream of RTP packets, and a jitter buffer under a clock that the test turns."""

from __future__ import annotations

from inzwa_rtc.transport.jitterbuffer import JitterBuffer, Missing
from inzwa_rtc.transport.rtp import RtpPacket

TOC = b"\x48"  # one SILK frame of 20 ms
TICKS = 960
TICK_S = 0.02
STAND_IN = Missing(TICKS)


def packet(number: int, timestamp: int | None = None, ssrc: int = 1) -> RtpPacket:
    """The packet so many behind the first, whose numbers are about to wrap around."""
    ticks = number * TICKS if timestamp is None else timestamp
    payload = TOC + str(number).encode()
    return RtpPacket((65530 + number) % 65536, (2**32 - 5000 + ticks) % 2**32, payload, ssrc)


def waiting(buffer: JitterBuffer) -> int:
    """Packets that were not handed out yet."""
    leaving = sum(isinstance(item, RtpPacket) for item in buffer._leaving)
    return len(buffer._held) + leaving + (buffer._stray is not None)


class Played:
    """A buffer whose clock ticks every 20 ms from 0 on, and what it has handed out."""

    def __init__(self) -> None:
        self.buffer = JitterBuffer()
        self.out: list[RtpPacket | Missing] = []
        self._tick = 1

    def arrive(self, at: float, *packets: RtpPacket) -> None:
        self.run(at)
        for one in packets:
            self.buffer.push(one, at)

    def run(self, until: float) -> list[RtpPacket | Missing]:
        """All ticks up to that time; what they gave."""
        given: list[RtpPacket | Missing] = []
        while self._tick * TICK_S <= until:
            given += self.buffer.take(self._tick * TICK_S)
            self._tick += 1
        self.out += given
        return given

    @property
    def ticks(self) -> int:
        """Length of all that was handed out."""
        return sum(item.ticks if isinstance(item, Missing) else TICKS for item in self.out)


def steady(played: Played, count: int, begin_s: float = 0.0, first: int = 0) -> None:
    for number in range(count):
        played.arrive(begin_s + number * TICK_S + 0.003, packet(first + number))
