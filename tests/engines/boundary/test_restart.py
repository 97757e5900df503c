"""The restart policy, without processes or time."""

from __future__ import annotations

from inzwa_rtc.engines.restart import MAX_DELAY_S, STABLE_S, RestartPolicy


def test_first_restart_is_at_once_and_later_ones_wait_longer_up_to_a_limit() -> None:
    policy = RestartPolicy()
    delays = [policy.delay_after(1.0) for _ in range(8)]
    assert delays == [0.0, 0.25, 0.5, 1.0, 2.0, 4.0, MAX_DELAY_S, MAX_DELAY_S]


def test_engine_that_ran_well_is_restarted_at_once_again() -> None:
    policy = RestartPolicy()
    for _ in range(5):
        policy.delay_after(0.0)
    assert policy.delay_after(STABLE_S) == 0.0
    assert policy.delay_after(STABLE_S - 1) == 0.25


def test_thousands_of_failures_do_not_overflow() -> None:
    policy = RestartPolicy()
    assert {policy.delay_after(0.0) for _ in range(5000)} >= {MAX_DELAY_S}
