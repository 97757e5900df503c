"""On a bad network words are neither lost, doubled nor put in disorder, and time goes on."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.network import Bursts, Impairment
from inzwa_rtc.transport.jitterbuffer import MAX_SURPLUS_MS, MOST_WAIT_S, JitterBuffer, Missing
from inzwa_rtc.transport.rtp import RtpPacket
from tests.support.rtp import waiting

TICKS = 960
TICK_S = 0.02
FIRST_SEQUENCE, FIRST_TIMESTAMP = 65_000, 2**32 - 100_000


@dataclass(slots=True)
class Heard:
    """What a buffer made of a stream."""

    buffer: JitterBuffer
    arrived: int = 0
    """Different packets."""
    used: list[int] = field(default_factory=list)
    """Their numbers, in the order in which they were handed out."""
    waited_s: list[float] = field(default_factory=list)
    ticks_given_at: list[float] = field(default_factory=list)
    ahead_s: list[float] = field(default_factory=list)
    """After each tick: how much more audio there was than time passed since the first."""


def hear(
    network: Impairment, packets: int, *, drift: float = 0.0, phase_s: float = 0.0037
) -> Heard:
    """20 ms packets over this network, sent by a clock that runs slow by `drift`."""

    def sent() -> itertools.chain[tuple[float, int]]:
        return itertools.chain((n * TICK_S * (1 + drift), n) for n in range(packets))

    heard = Heard(JitterBuffer())
    arrival: dict[int, float] = {}
    first_tick = given = 0.0
    tick = 0

    def run(until: float) -> None:
        nonlocal first_tick, given, tick
        while (now := phase_s + tick * TICK_S) <= until:
            tick += 1
            got = heard.buffer.take(now)
            if not got:
                continue
            heard.ticks_given_at.append(now)
            first_tick = first_tick or now
            for item in got:
                if isinstance(item, Missing):
                    given += item.ticks / 48_000
                    continue
                number = int(item.payload[1:])
                given += TICK_S
                heard.used.append(number)
                heard.waited_s.append(now - arrival[number])
            heard.ahead_s.append(given - TICK_S - (now - first_tick))

    for at, number in network.carry(sent()):
        run(at)
        arrival.setdefault(number, at)
        packet = RtpPacket(
            (FIRST_SEQUENCE + number) % 2**16,
            (FIRST_TIMESTAMP + number * TICKS) % 2**32,
            b"\x48%d" % number,
        )
        heard.buffer.push(packet, at)
    run(phase_s + tick * TICK_S + 0.2)
    heard.arrived = len(arrival)
    return heard


def percentile_ms(samples_s: list[float], percent: float) -> float:
    return float(np.percentile(samples_s, percent)) * 1000


impairments = st.builds(
    Impairment,
    loss=st.floats(0, 0.3),
    bursts=st.none() | st.builds(Bursts, begin=st.floats(0, 0.05), end=st.floats(0.1, 1)),
    jitter_ms=st.floats(0, 80),
    reorder=st.floats(0, 0.1),
    reorder_ms=st.floats(0, 200),
    duplicate=st.floats(0, 0.2),
    stall=st.floats(0, 0.01),
    stall_ms=st.floats(0, 1000),
    seed=st.integers(0, 2**32),
)


# A busy machine is no fault.
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(impairments, st.floats(-0.001, 0.001), st.floats(0.0001, 0.02))
def test_every_packet_that_arrives_is_used_once_in_order_or_counted(
    network: Impairment, drift: float, phase_s: float
) -> None:
    heard = hear(network, 250, drift=drift, phase_s=phase_s)
    buffer = heard.buffer
    assert all(earlier < later for earlier, later in itertools.pairwise(heard.used))
    counted = len(heard.used) + buffer.late + buffer.duplicates + buffer.refused + waiting(buffer)
    assert counted == buffer.received
    assert len(heard.used) + buffer.late == heard.arrived


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(
    st.builds(
        Impairment,
        loss=st.floats(0, 0.2),
        bursts=st.none() | st.builds(Bursts, begin=st.floats(0, 0.03), end=st.floats(0.1, 1)),
        reorder=st.floats(0, 0.05),
        duplicate=st.floats(0, 0.1),
        seed=st.integers(0, 2**32),
    )
)
def test_time_in_the_call_follows_real_time_within_the_patience(network: Impairment) -> None:
    heard = hear(network, 300)
    # Behind a gap it waits for what is missing; where nothing comes, for the longest wait there is.
    behind_s = max(heard.buffer.patience_s + 6 * TICK_S, MOST_WAIT_S + 2 * TICK_S)
    assert min(heard.ahead_s) >= -behind_s - 1e-6
    assert max(heard.ahead_s) <= MAX_SURPLUS_MS / 1000 + 0.04


def test_without_loss_audio_waits_for_the_next_tick_and_for_nothing_else() -> None:
    heard = hear(Impairment(jitter_ms=9), 3000)
    assert len(heard.used) == 3000
    assert percentile_ms(heard.waited_s, 50) <= 12
    assert max(heard.waited_s) <= TICK_S + 1e-6


@pytest.mark.parametrize("seed", range(3))
def test_at_five_percent_random_loss_all_that_arrives_is_used_and_nothing_stalls(
    seed: int,
) -> None:
    heard = hear(Impairment(loss=0.05, seed=seed), 6000)
    stalls = [b - a for a, b in itertools.pairwise(heard.ticks_given_at)]
    assert len(heard.used) == heard.arrived
    assert max(stalls) <= 0.06 + 1e-6
    assert percentile_ms(heard.waited_s, 95) <= 40


@pytest.mark.parametrize("seed", range(3))
def test_with_jitter_and_reordering_as_well_98_percent_are_used_and_120_ms_are_not_exceeded(
    seed: int,
) -> None:
    """+-30 ms for each packet by itself, and 2 % that come 40 ms later still."""
    heard = hear(Impairment(loss=0.05, jitter_ms=30, reorder=0.02, seed=seed), 6000)
    stalls = [b - a for a, b in itertools.pairwise(heard.ticks_given_at)]
    assert len(heard.used) >= 0.98 * heard.arrived
    assert percentile_ms(heard.waited_s, 95) <= 60
    assert max(stalls) <= 0.12 + 1e-6


@pytest.mark.parametrize("drift", [0.001, -0.001])
def test_after_an_hour_of_a_drifting_clock_nothing_was_dropped_and_nothing_is_delayed(
    drift: float,
) -> None:
    heard = hear(Impairment(), 180_000, drift=drift)
    silence_s = heard.ahead_s[-1] + drift * 3600
    assert len(heard.used) == 180_000
    assert max(heard.waited_s) <= TICK_S + 1e-6
    assert abs(silence_s) <= 0.1


def test_the_wait_grows_on_a_bad_stretch_and_shrinks_after_it() -> None:
    buffer = JitterBuffer()
    patience: list[float] = []
    networks = [Impairment(), Impairment(jitter_ms=60, delay_ms=60, seed=1), Impairment()]
    begin = 0.0
    number = itertools.count()
    for network in networks:
        sent = [(begin + n * TICK_S, next(number)) for n in range(3000)]
        for at, n in network.carry(sent):
            buffer.push(RtpPacket(n % 65536, n * TICKS, b"\x48"), at)
            buffer.take(at)
        patience.append(buffer.patience_s)
        begin += 61.0
    assert patience[0] == patience[2] == 0.02
    assert patience[1] >= 0.06
