"""Puts RTP packets in order and tells what is missing, without delaying what is not.

What comes in order is handed out at the next `take`. A buffer for human ears plays on a clock
of its own, 20-40 ms behind the network, so that late packets leave no holes in the sound.
Recognition has no ear that would notice: it takes audio as it comes. What matters is that all
of it comes, and how soon the last of it is there, which such a delay could only put off.

Two things are waited for, each as long as the lateness of late makes it worth while:

- Behind a gap in the sequence, the missing packet: from 20 to 120 ms after its follower came,
  as long as it took packets that were overtaken to come.
- When nothing comes, the next packet: from 40 to 140 ms after it was due, by how much packets
  have followed each other too late. Then silence stands in, tick by tick, so that time in the
  call goes on, or the gap is given up, if that is what is waited for.

Audio has a place in RTP time. What stands in for missing audio takes its place; if the audio
comes after all, in order, it is handed out nevertheless, for words are worth more than exact
time. The clocks of sender and receiver are never compared, so their drift does not matter.

Synchronous. Times are arguments: seconds of a monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from inzwa_rtc.audio.frame import FRAME_MS
from inzwa_rtc.audio.opus_packet import SHORTEST_TICKS, TICKS_PER_MS, packet_ticks
from inzwa_rtc.transport.arrivals import Arrivals
from inzwa_rtc.transport.lateness import Lateness
from inzwa_rtc.transport.rtp import RTP_CLOCK, RtpPacket, sequence_ahead, timestamp_ahead

TICK_S = FRAME_MS / 1000
LEAST_WAIT_S = 0.02  # one frame: neighbours change places even on good networks
MOST_WAIT_S = 0.12  # a caller notices an answer that is later than that
LONGEST_QUIET_S = 0.3  # between two ticks that give something: a packet of 120 ms and that wait
MAX_BURST_S = 5.0  # what a network that stalled may bring at once; nobody waits for longer
PACE = 1.25  # a sender's clock may run fast, but not by a quarter
MAX_HELD = 512  # such a burst, of the 10 ms packets that some phones send
MAX_JUMP = 3000  # RFC 3550, appendix A.1: a jump by more is another stream
STRAYS_APART = 16  # two packets no further apart than that begin another stream
MAX_SURPLUS_MS = 60  # of late audio beyond its place, which missing audio makes up for
REMEMBERED = 256  # packets given up on, whose lateness is measured if they come

_TICKS = FRAME_MS * TICKS_PER_MS
_BURST_TICKS = MAX_BURST_S * RTP_CLOCK
# By how much a tick may come early and still count. Patience goes by steps of 5 ms: were this one,
# rounding would decide whether a tick comes too early.
_EARLY_S = 0.3 * TICK_S


@dataclass(frozen=True, slots=True)
class Missing:
    """Audio that is not there: `ticks` of 48 kHz have to be filled, if any.

    Of the packets sent, `lost` did not come; 0 where none was sent (DTX), or where nothing
    came so far. `following` is the next packet's payload, which may repair the last of them.
    """

    ticks: int
    lost: int = 0
    following: bytes = b""


class JitterBuffer:
    """Push packets as they arrive; take what is due, in order, every 20 ms."""

    def __init__(self) -> None:
        self.received = 0
        self.lost = 0
        """Packets that were not there when they were needed."""
        self.late = 0
        """Packets that came after they were given up on, or had begun without."""
        self.duplicates = 0
        self.refused = 0
        """Packets that fit no stream, or were more than real time brings."""
        self.delay_s = 0.0
        """How long packets have lately waited here, on average."""
        self._held: dict[int, tuple[RtpPacket, int, float]] = {}  # with length and arrival
        self._leaving: list[RtpPacket | Missing] = []  # of a stream that another has replaced
        self._stray: tuple[RtpPacket, float] | None = None
        self._given_up: dict[int, float] = {}  # when their follower came
        self._reordering = Lateness(LEAST_WAIT_S, MOST_WAIT_S)
        self._gaps = Lateness(LEAST_WAIT_S, MOST_WAIT_S)
        self._arrivals = Arrivals(self._gaps)
        self._allowed_ticks = _BURST_TICKS
        self._refilled_at = 0.0
        self._ssrc: int | None = None
        self._next = 0  # the sequence number that is handed out next
        self._position: int | None = None  # RTP time up to which audio was handed out
        self._due_at = 0.0  # when the next packet is expected
        self._put_at = 0.0  # when anything was handed out
        self._covered_at = 0.0  # the real time that it covers, roughly
        self._stands_in = False  # silence, since the last packet

    @property
    def jitter_s(self) -> float:
        """Of the packets' arrival (RFC 3550, section 6.4.1)."""
        return self._arrivals.jitter_s

    @property
    def patience_s(self) -> float:
        """How long a missing packet is waited for at present, once its follower is there."""
        return self._reordering.patience_s

    @property
    def is_empty(self) -> bool:
        """Whether no packet waits here."""
        return not self._held and not self._leaving

    def push(self, packet: RtpPacket, now: float) -> None:
        """A packet has arrived."""
        self.received += 1
        if self._ssrc is None:
            self._begin(packet, now)
        if packet.ssrc != self._ssrc:
            self._set_aside(packet, now)
            return
        ahead = sequence_ahead(packet.sequence, self._next)
        if 0 <= ahead < MAX_JUMP:
            self._hold(packet, now)
        elif ahead < 0 and self._is_of_the_past(packet, ahead):
            self._note_late(packet, now)
        else:
            self._set_aside(packet, now)

    def take(self, now: float) -> list[RtpPacket | Missing]:
        """What is due, in order. To be called every 20 ms, whether or not anything came."""
        out = self._leaving
        self._leaving = []
        if self._held:
            self._hand_out(out, now, self.patience_s)
        if not out and self._may_stand_in(now):
            self._stand_in(out)
        if out:
            self._put_at = now
        return out

    def _hand_out(self, out: list[RtpPacket | Missing], now: float, patience_s: float) -> None:
        # No more can be missing than time has passed, whatever the timestamps say.
        room = int((now - self._covered_at + _EARLY_S) * RTP_CLOCK)
        for sequence in sorted(self._held, key=self._ahead):
            packet, ticks, arrived_at = self._held[sequence]
            lost = self._ahead(sequence)
            if lost:
                if now - arrived_at < patience_s and (self._stands_in or not self._is_overdue(now)):
                    return
                self._give_up(sequence, lost, arrived_at)
            del self._held[sequence]
            gap = self._gap_before(packet)
            fill = max(0, min(gap, room)) // SHORTEST_TICKS * SHORTEST_TICKS
            room -= fill
            if fill or lost:
                out.append(Missing(fill, lost, packet.payload if lost else b""))
            out.append(packet)
            self._went_out(packet, ticks, -gap, now)
            self.delay_s += (now - arrived_at - self.delay_s) / 32

    def _went_out(self, packet: RtpPacket, ticks: int, surplus: int, now: float) -> None:
        surplus = min(max(0, surplus), MAX_SURPLUS_MS * TICKS_PER_MS)
        self._next = (packet.sequence + 1) % 0x10000
        self._position = packet.timestamp + ticks + surplus
        self._due_at = now + ticks / RTP_CLOCK
        self._covered_at = now
        self._stands_in = False

    def _stand_in(self, out: list[RtpPacket | Missing]) -> None:
        if self._position is None:  # before the first packet there is nothing to go on with
            return
        out.append(Missing(_TICKS))
        self._position += _TICKS
        self._covered_at += TICK_S
        self._stands_in = True

    def _may_stand_in(self, now: float) -> bool:
        """However often it is asked, no more can be missing than time has passed."""
        is_new = now - self._put_at >= TICK_S / 2 and now - self._covered_at >= TICK_S
        return is_new and self._is_overdue(now)

    def _is_overdue(self, now: float) -> bool:
        wait_s = TICK_S + max(self._gaps.patience_s, self.patience_s)
        return now - self._due_at >= wait_s - _EARLY_S

    def _gap_before(self, packet: RtpPacket) -> int:
        """How many ticks are missing before the packet; negative if its place is taken."""
        return 0 if self._position is None else timestamp_ahead(packet.timestamp, self._position)

    def _give_up(self, follower: int, lost: int, follower_came_at: float) -> None:
        self.lost += lost
        for sequence in range(follower - min(lost, REMEMBERED), follower):
            self._given_up[sequence % 0x10000] = follower_came_at
        while len(self._given_up) > REMEMBERED:
            del self._given_up[next(iter(self._given_up))]

    def _hold(self, packet: RtpPacket, now: float) -> None:
        if packet.sequence in self._held:
            self.duplicates += 1
            return
        ticks = packet_ticks(packet.payload)
        if len(self._held) + len(self._leaving) >= MAX_HELD or not self._is_allowed(ticks, now):
            self.refused += 1
            return
        waited_s = 0.0
        if not self._arrivals.note(packet, now):
            waited_s = now - self._follower_came_at(packet, now)
        self._reordering.add(waited_s)
        self._held[packet.sequence] = packet, ticks, now

    def _follower_came_at(self, packet: RtpPacket, now: float) -> float:
        after = self._ahead(packet.sequence)
        followers = [sequence for sequence in self._held if self._ahead(sequence) > after]
        return self._held[min(followers, key=self._ahead)][2] if followers else now

    def _is_allowed(self, ticks: int, now: float) -> bool:
        """Whether a sender that keeps to real time may have sent so much."""
        refill = (now - self._refilled_at) * RTP_CLOCK * PACE
        self._refilled_at = now
        self._allowed_ticks = min(_BURST_TICKS, self._allowed_ticks + refill)
        cost = ticks or SHORTEST_TICKS  # a packet of no length is work as well
        if cost > self._allowed_ticks:
            return False
        self._allowed_ticks -= cost
        return True

    def _is_of_the_past(self, packet: RtpPacket, ahead: int) -> bool:
        """Whether it is of this stream, or of one that has begun anew at a lower number."""
        return ahead > -MAX_JUMP and self._arrivals.is_of_the_past(packet, MAX_JUMP * _TICKS)

    def _note_late(self, packet: RtpPacket, now: float) -> None:
        if self._position is None and packet.sequence in self._given_up:  # none was taken yet
            self._next = packet.sequence
            del self._given_up[packet.sequence]
            self._hold(packet, now)
            return
        follower_came_at = self._given_up.pop(packet.sequence, None)
        if follower_came_at is None:
            self.duplicates += 1
            return
        self.late += 1
        self._arrivals.note(packet, now)
        self._reordering.add(now - follower_came_at)

    def _set_aside(self, packet: RtpPacket, now: float) -> None:
        """One packet that does not belong is an accident; two begin another stream."""
        before = self._stray
        self._stray = packet, now
        if before is None:
            return
        other, other_at = before
        step = sequence_ahead(packet.sequence, other.sequence)
        if packet.ssrc != other.ssrc or not 0 < abs(step) <= STRAYS_APART:
            self.refused += 1
            return
        self._stray = None
        self._hand_out(self._leaving, now, 0.0)
        self._begin(other if step > 0 else packet, now)
        self._hold(other, other_at)
        self._hold(packet, now)

    def _begin(self, first: RtpPacket, now: float) -> None:
        self._ssrc = first.ssrc
        self._next = first.sequence
        self._position = None
        before = range(first.sequence - STRAYS_APART, first.sequence)  # it may have overtaken them
        self._given_up = {sequence % 0x10000: now for sequence in before}
        self._arrivals.begin()

    def _ahead(self, sequence: int) -> int:
        return (sequence - self._next) % 0x10000
