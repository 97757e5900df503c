"""RTCP of aiortc's, which tells each side how it is heard by the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from aiortc import RTCRtpReceiver, RTCRtpSender
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import AnyRtcpPacket, RtcpSrPacket

from inzwa_rtc.transport.hooks.needed import need
from inzwa_rtc.transport.rtp import RTP_CLOCK, RtpPacket, sequence_ahead, timestamp_ahead

# When the other end's last report came, and when our last one left.
_SENT_AT_OF_OTHERS = "_RTCRtpReceiver__lsr_time"
_SENT_AT = "_RTCRtpSender__lsr_time"
_MOST_JITTER = (1 << 32) - 1  # what its place in a report holds

log = structlog.get_logger(__name__)


class Stream(StreamStatistics):
    """Of one sender, whose timestamps may be anything and wrap around. aiortc takes them for
    numbers that never wrap, and the time at which a packet is read for that at which it came."""

    def __init__(self) -> None:
        super().__init__(RTP_CLOCK)
        self._jitter_s = 0.0
        self._newest_at = 0.0
        self._newest_timestamp = 0

    def count(self, packet: RtpPacket, now: float) -> None:
        """A packet came at this time, in seconds of any clock."""
        self.packets_received += 1
        sequence, newest = packet.sequence, self.max_seq
        if newest is None:
            self.base_seq = sequence
        elif sequence_ahead(sequence, newest) <= 0:
            return
        else:
            if sequence < newest:
                self.cycles += 1 << 16
            sent_s = timestamp_ahead(packet.timestamp, self._newest_timestamp) / RTP_CLOCK
            # RFC 3550, section 6.4.1.
            self._jitter_s += (abs(now - self._newest_at - sent_s) - self._jitter_s) / 16
        self.max_seq = sequence
        self._newest_at, self._newest_timestamp = now, packet.timestamp

    @property
    def jitter(self) -> int:
        """In units of the RTP clock."""
        return min(int(self._jitter_s * RTP_CLOCK), _MOST_JITTER)


class Arrivals:
    """What has come, by its senders' SSRCs."""

    def __init__(self) -> None:
        self.streams: dict[int, Stream] = {}

    def add(self, packet: RtpPacket, now: float) -> bool:
        """Count a packet that came at this time; tells whether it is the first of its stream."""
        stream = self.streams.get(packet.ssrc)
        is_first = stream is None
        if stream is None:
            stream = self.streams[packet.ssrc] = Stream()
        stream.count(packet, now)
        return is_first


def count_from_arrival(
    receiver: RTCRtpReceiver, sender: RTCRtpSender, late_s: Callable[[], float]
) -> None:
    """Have reports that come counted from when they came, `late_s` before they are taken: else
    all that time would be taken for the network's, at both ends."""
    need(receiver, "_handle_rtcp_packet", _SENT_AT_OF_OTHERS)
    need(sender, "_handle_rtcp_packet", _SENT_AT)
    take, take_answer = receiver._handle_rtcp_packet, sender._handle_rtcp_packet

    async def received(packet: AnyRtcpPacket) -> None:
        await take(packet)
        if isinstance(packet, RtcpSrPacket):
            getattr(receiver, _SENT_AT_OF_OTHERS)[packet.ssrc] -= late_s()

    async def answered(packet: AnyRtcpPacket) -> None:
        sent_at = getattr(sender, _SENT_AT)
        if sent_at is None:
            await take_answer(packet)
            return
        lent = sent_at + late_s()
        setattr(sender, _SENT_AT, lent)
        await take_answer(packet)
        if getattr(sender, _SENT_AT) is lent:  # else a report of ours has left meanwhile
            setattr(sender, _SENT_AT, sent_at)

    receiver._handle_rtcp_packet = received  # type: ignore[method-assign]
    sender._handle_rtcp_packet = answered  # type: ignore[method-assign]


async def reporting(run: Callable[[], Awaitable[None]], exited: asyncio.Event) -> None:
    """Run aiortc's task that sends reports; whatever becomes of it, who waits for its end is
    told: it tells them only if nothing fails."""
    try:
        await run()
    except Exception:
        log.exception("call.reports_failed")
    finally:
        exited.set()
