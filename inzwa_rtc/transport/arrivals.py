"""How evenly the packets of one RTP stream arrive."""

from __future__ import annotations

from inzwa_rtc.transport.lateness import Lateness
from inzwa_rtc.transport.rtp import RTP_CLOCK, RtpPacket, sequence_ahead, timestamp_ahead

MAX_LATE_S = 1.0  # beyond that it is a jump of the timestamps, not lateness


class Arrivals:
    """Tell it of every packet; it compares neighbours only, so that drifting clocks are no matter.

    `gaps` learns how much later packets follow each other than they were sent.
    """

    def __init__(self, gaps: Lateness) -> None:
        self.jitter_s = 0.0
        """RFC 3550, section 6.4.1."""
        self._gaps = gaps
        self._newest: int | None = None
        self._newest_timestamp = 0
        self._newest_at = 0.0
        self._newest_transit_s = 0.0  # on the way, from an unknown origin
        self._last_transit_s = 0.0  # of the packet that came last, the newest or not

    def begin(self) -> None:
        """Another stream begins: its timestamps have nothing to do with those before."""
        self._newest = None

    def note(self, packet: RtpPacket, now: float) -> bool:
        """A packet came; tells whether it is ahead of all that came before."""
        if self._newest is None:
            self._take_as_newest(packet, now)
            return True
        ticks = timestamp_ahead(packet.timestamp, self._newest_timestamp)
        late_s = now - self._newest_at - ticks / RTP_CLOCK
        if not -MAX_LATE_S < late_s < MAX_LATE_S:
            late_s = 0.0
        transit_s = self._newest_transit_s + late_s
        self.jitter_s += (abs(transit_s - self._last_transit_s) - self.jitter_s) / 16
        self._last_transit_s = transit_s
        if sequence_ahead(packet.sequence, self._newest) <= 0:
            return False
        self._newest_transit_s = transit_s
        self._take_as_newest(packet, now)
        self._gaps.add(late_s)
        return True

    def is_of_the_past(self, packet: RtpPacket, most_ticks: int) -> bool:
        """Whether it was sent before the newest, and no longer before than that."""
        if self._newest is None:
            return False
        ticks = timestamp_ahead(self._newest_timestamp, packet.timestamp)
        return 0 <= ticks <= most_ticks

    def _take_as_newest(self, packet: RtpPacket, now: float) -> None:
        self._newest = packet.sequence
        self._newest_timestamp = packet.timestamp
        self._newest_at = now
