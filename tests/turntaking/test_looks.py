"""When calls are looked at: where there is something to hear, and together."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inzwa_rtc.engines.contracts import Haste
from inzwa_rtc.turntaking.looks import CYCLE, Cycle, begin_beside
from inzwa_rtc.turntaking.stream import WINDOW_BYTES

BEGINS = st.integers(0, 7)
TOGETHER = 8


def looks(cycle: Cycle, haste: Haste, ticks: range) -> list[int]:
    """The ticks at which a call is looked at."""
    looked = []
    for tick in ticks:
        if cycle.is_due(tick, haste):
            cycle.looked(tick)
            looked.append(tick)
    return looked


@given(BEGINS, st.integers(0, 1000))
def test_windows_are_whole_at_the_ticks_that_look_for_windows_and_at_no_other(
    begins: int, first: int
) -> None:
    cycle, whole = Cycle(begins, first), []
    for tick in range(first + 1, first + 5 * CYCLE):
        come = cycle.bytes_by(tick)
        before = 0 if come == 640 else cycle.bytes_by(tick - 1)
        if come // WINDOW_BYTES > before // WINDOW_BYTES:
            whole.append(tick)
    assert looks(cycle, Haste.EACH_WINDOW, range(first + 1, first + 5 * CYCLE)) == whole


@given(BEGINS)
def test_a_cycle_brings_whole_windows(begins: int) -> None:
    cycle = Cycle(begins, 0)
    ends = looks(cycle, Haste.IN_TIME, range(40))
    assert [later - tick for tick, later in pairwise(ends)] == [CYCLE] * (len(ends) - 1)
    assert {cycle.bytes_by(tick) % WINDOW_BYTES for tick in ends} == {0}


@given(BEGINS)
def test_who_is_in_less_haste_is_looked_at_at_some_of_the_same_ticks(begins: int) -> None:
    ticks = range(1, 6 * CYCLE)
    seen = [looks(Cycle(begins, 0), haste, ticks) for haste in Haste]
    for more, less in pairwise(seen):
        assert set(less) <= set(more)
    assert seen[0] == list(ticks)


@given(BEGINS)
def test_nobody_waits_for_longer_than_their_haste_allows(begins: int) -> None:
    for haste, most in zip(Haste, (1, 2, 2, 3, 8), strict=True):
        seen = looks(Cycle(begins, 0), haste, range(1, 6 * CYCLE))
        assert max(later - tick for tick, later in pairwise(seen)) == most
        assert seen[0] <= most


@given(BEGINS, st.sampled_from(Haste), st.integers(1, 50), st.integers(2, 30))
def test_a_look_that_a_stall_has_taken_is_made_up_for(
    begins: int, haste: Haste, stalls_at: int, missed: int
) -> None:
    """At the first tick after it, once."""
    due = set(looks(Cycle(begins, 0), haste, range(1, 100)))
    cycle = Cycle(begins, 0)
    looks(cycle, haste, range(1, stalls_at))
    after = stalls_at + missed
    assert cycle.is_due(after, haste) == any(tick in due for tick in range(stalls_at, after + 1))
    cycle.looked(after)
    assert looks(cycle, haste, range(after + 1, 100)) == sorted(
        tick for tick in due if tick > after
    )


def test_a_few_calls_have_their_cycle_at_the_same_time_and_more_are_spread() -> None:
    cycles: list[Cycle] = []
    for _ in range(10 * TOGETHER):
        cycles.append(Cycle(begin_beside(cycles), 0))
    begins = [cycle.begins for cycle in cycles]
    assert len(set(begins[:TOGETHER])) == 1
    assert begins[TOGETHER] != begins[0]
    assert sorted(set(begins)) == list(range(CYCLE))
    assert all(begins.count(one) == 10 for one in range(CYCLE))


@pytest.mark.parametrize("gone", range(TOGETHER))
def test_the_place_of_a_call_that_is_over_is_taken_by_the_next(gone: int) -> None:
    cycles: list[Cycle] = []
    for _ in range(2 * TOGETHER):
        cycles.append(Cycle(begin_beside(cycles), 0))
    left = cycles.pop(gone)
    assert begin_beside(cycles) == left.begins
