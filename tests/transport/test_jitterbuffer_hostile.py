"""Whatever is sent, it costs little, breaks nothing, and every packet is accounted for."""

from __future__ import annotations

import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inzwa_rtc.transport.jitterbuffer import LONGEST_QUIET_S, MAX_BURST_S, MAX_HELD, JitterBuffer
from inzwa_rtc.transport.rtp import RtpPacket
from tests.support.rtp import TICK_S, Played, waiting


def test_a_sender_faster_than_real_time_is_cut_down_to_it() -> None:
    """120 ms packets, a thousand of them a second."""
    buffer = JitterBuffer()
    heard_s = 0.0
    for number in range(20_000):
        buffer.push(RtpPacket(number, number * 5760, b"\x5b\x02"), number / 1000)
        if number % 20 == 0:
            got = buffer.take(number / 1000)
            heard_s += 0.12 * sum(isinstance(item, RtpPacket) for item in got)
    assert MAX_BURST_S + 20 <= heard_s <= MAX_BURST_S + 20 * 1.26
    assert buffer.refused > 19_000


def test_packets_without_sound_are_not_taken_in_by_the_thousand_either() -> None:
    buffer = JitterBuffer()
    for number in range(100_000):
        buffer.push(RtpPacket(number % 65536, 0, b""), number / 10_000)
        if number % 200 == 0:
            buffer.take(number / 10_000)
    assert buffer.received - buffer.refused <= 2000 + 10 * 500


def test_no_more_is_held_than_stated_whatever_comes() -> None:
    buffer = JitterBuffer()
    for number in range(5000):
        buffer.push(RtpPacket(2 * number % 65536, number, b"\x80"), 1.0)
        assert waiting(buffer) <= MAX_HELD + 1
    assert len(buffer.take(1.02)) <= 2 * MAX_HELD


times = st.floats(0, 0.05)
strange = st.builds(
    RtpPacket,
    sequence=st.integers(0, 65535),
    timestamp=st.integers(0, 2**32 - 1),
    payload=st.binary(max_size=3),
    ssrc=st.integers(0, 2),
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
@given(st.lists(st.tuples(times, strange), max_size=60))
def test_nothing_that_is_sent_breaks_it_and_every_packet_is_accounted_for(
    sent: list[tuple[float, RtpPacket]],
) -> None:
    played = Played()
    now = 0.0
    for wait_s, one in sent:
        now += wait_s
        played.arrive(now, one)
    played.run(now + 1.0)
    used = sum(isinstance(item, RtpPacket) for item in played.out)
    buffer = played.buffer
    counted = used + buffer.late + buffer.duplicates + buffer.refused + waiting(buffer)
    assert counted == buffer.received == len(sent)
    assert waiting(buffer) <= 1


@settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
@given(st.lists(st.tuples(times, strange), min_size=1, max_size=40))
def test_after_the_first_packet_something_comes_within_the_stated_time(
    sent: list[tuple[float, RtpPacket]],
) -> None:
    """The inbox need not stand in: `LONGEST_QUIET_S`."""
    buffer = JitterBuffer()
    now, handed_out = 0.0, list[float]()
    arrivals = iter(sent)
    at, one = next(arrivals)
    for tick in range(1, 200):
        now = tick * TICK_S
        while one is not None and at <= now:
            buffer.push(one, at)
            wait_s, one = next(arrivals, (0.0, None))  # type: ignore[assignment]
            at += wait_s
        if buffer.take(now):
            handed_out.append(now)
    gaps = [later - earlier for earlier, later in itertools.pairwise(handed_out)]
    assert handed_out
    assert max(gaps, default=0.0) <= LONGEST_QUIET_S
