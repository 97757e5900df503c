"""The bad network is as bad as it says, and the same every time."""

from __future__ import annotations

import itertools

import pytest

from benchmarks.network import Bursts, Impairment

COUNT = 20_000
SENT = [(number * 0.02, number) for number in range(COUNT)]


def carried(network: Impairment) -> list[tuple[float, int]]:
    return list(network.carry(SENT))


def test_a_good_network_brings_all_after_its_delay() -> None:
    assert carried(Impairment(delay_ms=0)) == SENT


def test_one_seed_is_one_network() -> None:
    def network(seed: int) -> Impairment:
        return Impairment(0.05, Bursts(0.01, 0.3), 40, 30, 0.02, 40, 0.01, 0.001, 200, seed)

    assert carried(network(1)) == carried(network(1))
    assert carried(network(1)) != carried(network(2))


def test_packets_are_given_as_they_arrive() -> None:
    network = Impairment(jitter_ms=35, reorder=0.05, duplicate=0.05, stall=0.001)
    times = [at for at, _ in carried(network)]
    assert times == sorted(times)


@pytest.mark.parametrize("loss", [0.01, 0.05, 0.3])
def test_as_many_are_lost_as_was_said(loss: float) -> None:
    network = Impairment(loss=loss)
    assert len(carried(network)) == COUNT - network.lost
    assert network.lost / COUNT == pytest.approx(loss, rel=0.15)


def test_bursts_lose_as_many_as_they_say_in_stretches_as_long_as_they_say() -> None:
    bursts = Bursts(begin=0.01, end=0.25)
    network = Impairment(bursts=bursts)
    came = {number for _, number in carried(network)}
    stretches = [
        len(list(group))
        for is_lost, group in itertools.groupby(range(COUNT), lambda n: n not in came)
        if is_lost
    ]
    assert network.lost / COUNT == pytest.approx(bursts.share, rel=0.15)
    assert sum(stretches) / len(stretches) == pytest.approx(1 / bursts.end, rel=0.15)


def test_bursts_and_random_loss_add_up() -> None:
    bursts = Bursts(begin=0.01, end=0.25, loss=0.5)
    network = Impairment(loss=0.05, bursts=bursts)
    list(network.carry(SENT))
    expected = bursts.share + (1 - bursts.share) * 0.05
    assert network.lost / COUNT == pytest.approx(expected, rel=0.15)


def test_jitter_spreads_arrivals_evenly_around_the_delay() -> None:
    delays = [at - number * 0.02 for at, number in carried(Impairment(delay_ms=50, jitter_ms=30))]
    assert 0.02 <= min(delays) < 0.0205 and 0.0795 < max(delays) <= 0.08
    assert sum(delays) / COUNT == pytest.approx(0.05, abs=0.001)


def test_some_are_overtaken() -> None:
    numbers = [number for _, number in carried(Impairment(reorder=0.02, reorder_ms=50))]
    overtaken = sum(later < earlier for earlier, later in itertools.pairwise(numbers))
    assert overtaken / COUNT == pytest.approx(0.02, rel=0.15)


def test_some_come_twice() -> None:
    numbers = [number for _, number in carried(Impairment(duplicate=0.1))]
    assert set(numbers) == set(range(COUNT))
    assert (len(numbers) - COUNT) / COUNT == pytest.approx(0.1, rel=0.15)


def test_a_blocked_path_holds_up_all_and_lets_them_go_in_order() -> None:
    arrivals = carried(Impairment(delay_ms=0, stall=0.005, stall_ms=400))
    waits = [at - number * 0.02 for at, number in arrivals]
    assert [number for _, number in arrivals] == list(range(COUNT))
    assert 0.3 < max(waits) <= 0.4
