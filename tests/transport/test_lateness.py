"""Waiting is as long as it lately was worth while."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inzwa_rtc.transport.lateness import Lateness


def lateness(samples: list[float]) -> Lateness:
    late = Lateness(0.02, 0.12)
    for sample in samples:
        late.add(sample)
    return late


def test_nobody_waits_longer_than_at_least_where_all_comes_in_time() -> None:
    assert lateness([0.0] * 500).patience_s == 0.02


@pytest.mark.parametrize("late_s", [0.03, 0.06, 0.1])
def test_the_wait_grows_to_what_would_have_caught_the_late_ones(late_s: float) -> None:
    late = lateness([0.0] * 500 + [late_s, 0.0, 0.0] * 5)
    assert late_s <= late.patience_s <= late_s + 0.006


def test_the_very_first_late_packet_is_enough_when_little_is_known() -> None:
    assert lateness([0.0] * 20 + [0.05]).patience_s > 0.05


def test_one_packet_in_a_thousand_is_not_waited_for() -> None:
    assert lateness(([0.0] * 1000 + [0.1]) * 5).patience_s == 0.02


def test_packets_later_than_anybody_waits_for_make_nobody_wait_longer() -> None:
    assert lateness([0.0, 0.5] * 300).patience_s == 0.02


def test_a_network_that_has_recovered_is_trusted_again() -> None:
    late = lateness([0.0, 0.1] * 500)
    assert late.patience_s > 0.1
    for _ in range(3000):  # a minute
        late.add(0.0)
    assert late.patience_s == 0.02


def test_years_of_packets_do_not_wear_it_out() -> None:
    late = lateness([0.0] * 50_000)
    for _ in range(50):
        late.add(0.05)
    assert 0.05 < late.patience_s <= 0.06


@given(st.lists(st.floats(-1, 1), max_size=300))
def test_the_wait_has_bounds_whatever_comes(samples: list[float]) -> None:
    assert 0.02 <= lateness(samples).patience_s <= 0.12
