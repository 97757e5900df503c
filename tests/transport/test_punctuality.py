"""Lateness is that of the time that went by: what never left is late as well."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inzwa_rtc.transport.pace import Pacer
from inzwa_rtc.transport.punctuality import WATCHED_TICKS, Percentiles, Punctuality


def lateness(*ticks: tuple[int, float]) -> Percentiles:
    """Of these ticks: a number, and by how many ms it was late."""
    punctuality = Punctuality()
    for tick, late_ms in ticks:
        punctuality.note(tick, late_ms / 1000)
    return punctuality.lateness


def driven(work_s: float, seconds: float) -> tuple[Percentiles, int]:
    """A clock that paces itself, each of whose ticks takes so long; how many there were."""
    now, sent = 0.0, 0
    pacer, punctuality = Pacer(now), Punctuality()
    while now < seconds:
        tick, wait_s = pacer.next_frame(now)
        now += wait_s
        punctuality.note(tick, now - pacer.due(tick))
        now += work_s
        sent += 1
    return punctuality.lateness, sent


def test_a_clock_in_time_is_not_late() -> None:
    late, sent = driven(work_s=0.015, seconds=10)
    assert late.p99_ms == pytest.approx(0, abs=1e-6)
    assert 500 <= sent <= 501


def test_a_clock_that_skips_nine_ticks_of_ten_is_late_however_punctual_the_tenth_is() -> None:
    late, sent = driven(work_s=0.2, seconds=10)
    assert sent < 60
    assert late.p50_ms > 80
    assert late.p99_ms > 150


def test_skipped_ticks_are_as_late_as_the_stall_was_long_when_they_were_due() -> None:
    stalled = lateness((0, 0.0), (10, 3.0))
    assert stalled.p99_ms == pytest.approx(4 * 20 + 3)  # five of 500 are later
    assert stalled.p50_ms == 0


def test_one_hiccup_of_a_young_clock_is_no_more_than_that_of_an_old_one() -> None:
    assert lateness(*((tick, 35.0 if tick == 20 else 0.0) for tick in range(50))).p99_ms == 0


def test_more_than_one_in_a_hundred_counts_from_the_first_second_on() -> None:
    assert lateness(*((tick, 40.0) for tick in range(5))).p99_ms == 0
    assert lateness(*((tick, 40.0) for tick in range(6))).p99_ms == pytest.approx(40)


def test_what_is_longer_ago_than_the_window_no_longer_counts() -> None:
    punctuality = Punctuality()
    punctuality.note(40, 0.0)
    for tick in range(41, 41 + WATCHED_TICKS - 7):
        punctuality.note(tick, 0.0)
    assert punctuality.lateness.p99_ms > 0
    for tick in range(34 + WATCHED_TICKS, 41 + WATCHED_TICKS):
        punctuality.note(tick, 0.0)
    assert punctuality.lateness.p99_ms == 0


def test_a_stall_longer_than_the_window_fills_it_and_no_more() -> None:
    late = lateness((0, 0.0), (10**9, 0.0))
    assert late.p99_ms <= WATCHED_TICKS * 20


def test_a_clock_that_begins_anew_is_punctual() -> None:
    punctuality = Punctuality()
    punctuality.note(300, 0.5)
    punctuality.begin()
    assert punctuality.lateness == Percentiles(0, 0)


@given(st.lists(st.tuples(st.integers(1, 700), st.floats(0, 0.1)), max_size=30))
def test_half_of_the_ticks_are_never_later_than_the_latest_hundredth(
    steps: list[tuple[int, float]],
) -> None:
    punctuality, tick = Punctuality(), -1
    for step, late_s in steps:
        tick += step
        punctuality.note(tick, late_s)
    late = punctuality.lateness
    assert 0 <= late.p50_ms <= late.p99_ms


def test_ticks_that_are_left_out_on_purpose_are_not_late_and_a_stall_among_them_is() -> None:
    punctuality, tick = Punctuality(), 0
    for _ in range(WATCHED_TICKS):
        punctuality.note(tick, 0.0)
        punctuality.rest(3)
        tick += 4
    assert punctuality.lateness == Percentiles(0, 0)
    punctuality.rest(2 * WATCHED_TICKS)
    punctuality.note(tick + 2 * WATCHED_TICKS + 25, 0.001)  # a stall of half a second
    assert punctuality.lateness.p99_ms > 400
