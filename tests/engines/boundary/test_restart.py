"""The restart policy, without processes or time."""

from __future__ import annotations

from inzwa_rtc.engines.restart import MAX_DELAY_S, STEADY_S, RestartPolicy


def test_engine_that_fails_every_few_seconds_is_started_at_once_each_time() -> None:
    policy = RestartPolicy()
    assert {policy.delay_after(answered_s) for answered_s in [3.0, STEADY_S, 2.0] * 50} == {0.0}


def test_engine_that_cannot_live_is_tried_ever_more_rarely_up_to_a_limit() -> None:
    policy = RestartPolicy()
    delays = [policy.delay_after(answered_s) for answered_s in (0.0, 0.5) * 5]
    assert delays == [0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, MAX_DELAY_S, MAX_DELAY_S]


def test_engine_that_is_mended_is_started_at_once_again() -> None:
    policy = RestartPolicy()
    for _ in range(20):
        policy.delay_after(0.0)
    assert [policy.delay_after(STEADY_S), policy.delay_after(0.0)] == [0.0, 0.0]
    assert policy.delay_after(0.0) == 0.25


def test_thousands_of_failures_do_not_overflow() -> None:
    policy = RestartPolicy()
    assert {policy.delay_after(0.0) for _ in range(5000)} >= {MAX_DELAY_S}
