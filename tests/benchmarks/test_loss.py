"""What is told of a receive path is what came out of it."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.loss import Call, call, figures
from benchmarks.network import Impairment
from benchmarks.receivers import Received, ours, stock
from benchmarks.sayings import Saying

PHASE_S = 0.007


def hum(seconds: float, hertz: float) -> Saying:
    times = np.arange(int(48_000 * seconds)) / 48_000
    return Saying("", (5000 * np.sin(2 * np.pi * hertz * times)).astype("<i2").tobytes())


@pytest.fixture(scope="module")
def said() -> Call:
    return call([hum(1, 300), hum(1, 900)])


def by_both(said: Call, network: Impairment) -> tuple[dict[str, float], dict[str, float]]:
    arrivals = said.arrivals(network)
    until = arrivals[-1][0] + 1
    both = ours(arrivals, PHASE_S, until), stock(arrivals)
    mine, theirs = (figures(said, arrivals, received) for received in both)
    return mine, theirs


def test_a_good_network_delays_ours_by_less_than_a_tick_and_stock_by_four_packets(
    said: Call,
) -> None:
    mine, theirs = by_both(said, Impairment())
    assert mine["used"] == theirs["used"] == 100
    assert mine["added, p95"] < 20.5
    assert theirs["added, median"] == pytest.approx(80, abs=0.1)


def test_a_loss_costs_stock_what_had_arrived_and_ours_nothing(said: Call) -> None:
    mine, theirs = by_both(said, Impairment(loss=0.05, seed=1))
    assert mine["used"] == 100
    assert mine["audio"] == pytest.approx(1000, abs=15)
    assert mine["stall"] <= 61
    assert theirs["used"] < 90
    assert theirs["stall"] > 200


def test_the_sound_of_a_phrase_is_cut_out_of_the_call(said: Call) -> None:
    arrivals = said.arrivals(Impairment(loss=0.02, seed=2))
    received = ours(arrivals, PHASE_S, arrivals[-1][0] + 1)
    for number, hertz in enumerate((300, 900)):
        pcm = received.between(*said.starts[number : number + 2])
        sound = np.frombuffer(pcm, "<i2").astype(float)
        assert len(sound) == pytest.approx(16_000, abs=1000)
        loudest = np.argmax(np.abs(np.fft.rfft(sound))) * 16_000 / len(sound)
        assert loudest == pytest.approx(hertz, abs=10)


def test_the_silence_at_the_end_counts_for_nothing(said: Call) -> None:
    arrivals = said.arrivals(Impairment())
    received = Received()
    for number in range(said.counted):
        received.use(number, number * 0.02)
        received.add(bytes(640), number * 0.02)
    assert figures(said, arrivals, received)["used"] == 100
