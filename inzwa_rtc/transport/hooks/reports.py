"""RTCP of aiortc's, which tells each side how it is heard by the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from aiortc.rtcrtpreceiver import StreamStatistics

from inzwa_rtc.transport.rtp import RTP_CLOCK, RtpPacket, timestamp_ahead

_MOST_JITTER = (1 << 32) - 1  # what its place in a report holds

log = structlog.get_logger(__name__)


class Stream(StreamStatistics):
    """Of one sender, whose timestamps may be anything and wrap around."""

    timestamp = 0
    sequence_number = 0

    def count(self, packet: RtpPacket) -> None:
        """A packet has come. aiortc takes its timestamps for numbers that never wrap: two that
        lie as far apart as they can would grow the jitter beyond what a report can hold."""
        self.timestamp += timestamp_ahead(packet.timestamp, self.timestamp % (1 << 32))
        self.sequence_number = packet.sequence
        self.add(self)  # type: ignore[arg-type]

    @property
    def jitter(self) -> int:
        """In units of the RTP clock."""
        return min(int(super().jitter), _MOST_JITTER)


class Arrivals:
    """What has come, by its senders' SSRCs."""

    def __init__(self) -> None:
        self.streams: dict[int, Stream] = {}

    def add(self, packet: RtpPacket) -> bool:
        """Count a packet; tells whether it is the first of its stream."""
        stream = self.streams.get(packet.ssrc)
        is_first = stream is None
        if stream is None:
            stream = self.streams[packet.ssrc] = Stream(RTP_CLOCK)
        stream.count(packet)
        return is_first


async def reporting(run: Callable[[], Awaitable[None]], exited: asyncio.Event) -> None:
    """Run aiortc's task that sends reports; whatever becomes of it, who waits for its end is
    told: it tells them only if nothing fails."""
    try:
        await run()
    except Exception:
        log.exception("call.reports_failed")
    finally:
        exited.set()
