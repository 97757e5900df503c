"""Nobody does something more often than they may; everybody else is left in peace."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signaling.access.rates import WINDOW_S, Rate


def test_a_minutes_share_may_come_at_once_and_then_one_at_a_time() -> None:
    rate = Rate(60)
    assert [rate.take("a", 0.0) for _ in range(60)] == [0.0] * 60
    assert rate.take("a", 0.0) == 1.0
    assert rate.take("a", 0.5) == 0.5
    assert rate.take("a", 1.0) == 0.0
    assert rate.take("a", 1.0) > 0


def test_whoever_waited_for_as_long_as_they_were_told_is_let_in() -> None:
    rate = Rate(7)
    now = 3.25
    for _ in range(100):
        if wait := rate.take("a", now):
            now += wait
            assert rate.take("a", now) == 0


def test_one_who_asks_too_often_is_nobody_elses_trouble() -> None:
    rate = Rate(1)
    assert rate.take("a", 0.0) == 0
    assert rate.take("a", 0.0) > 0
    assert rate.take("b", 0.0) == 0


def test_who_was_refused_has_lost_nothing_by_asking() -> None:
    rate = Rate(1)
    rate.take("a", 0.0)
    for at in range(1, 60):
        assert rate.take("a", float(at)) == WINDOW_S - at
    assert rate.take("a", WINDOW_S) == 0


def test_nought_is_no_limit_and_remembers_nobody() -> None:
    rate = Rate(0)
    assert [rate.take("a", 0.0) for _ in range(1000)] == [0.0] * 1000
    assert len(rate) == 0


def test_only_so_many_are_remembered_whoever_comes() -> None:
    rate = Rate(10, remembered=100)
    for number in range(10_000):
        rate.take(str(number), number / 1000)
        assert len(rate) <= 100


def test_who_did_nothing_for_a_minute_is_forgotten() -> None:
    rate = Rate(10)
    for number in range(50):
        rate.take(str(number), 0.0)
    for number in range(200):
        rate.take("late", 1000.0 + number * 10)
    assert len(rate) == 1


@given(
    st.integers(1, 30),
    st.lists(st.floats(0, 20), min_size=1, max_size=200),
)
def test_in_no_minute_is_more_than_two_minutes_share_let_in(
    per_minute: int, pauses: list[float]
) -> None:
    """The share of one minute at once, and what comes due during the next."""
    rate, now, admitted = Rate(per_minute), 0.0, list[float]()
    for pause in pauses:
        now += pause
        if rate.take("a", now) == 0:
            admitted.append(now)
    for at in admitted:
        assert sum(at <= other < at + WINDOW_S for other in admitted) <= 2 * per_minute
