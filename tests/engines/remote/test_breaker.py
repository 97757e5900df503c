"""When an engine that fails is left alone, and when it is tried again."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from inzwa_rtc.engines.breaker import Admission, BreakerPolicy, CircuitBreaker

POLICY = BreakerPolicy(failures=3, within_s=60, open_s=15)


@pytest.fixture
def breaker() -> CircuitBreaker:
    return CircuitBreaker(POLICY)


def fail(breaker: CircuitBreaker, *times: float) -> None:
    for now in times:
        admission = breaker.admit(now)
        assert admission is not None
        breaker.failed(admission, now)


def test_a_few_failures_in_a_short_time_open_it(breaker: CircuitBreaker) -> None:
    fail(breaker, 0, 1)
    assert breaker.state(1) == "closed"
    fail(breaker, 2)
    assert breaker.state(2) == "open"
    assert breaker.admit(16.9) is None


def test_failures_long_apart_do_not(breaker: CircuitBreaker) -> None:
    fail(breaker, 0, 50, 61, 110, 122)
    assert breaker.state(122) == "closed"


def test_a_success_makes_up_for_a_failure(breaker: CircuitBreaker) -> None:
    for now in range(20):
        fail(breaker, now)
        admission = breaker.admit(now)
        assert admission is not None
        breaker.succeeded(admission)
    assert breaker.state(20) == "closed"


def test_one_request_tries_whether_it_works_again(breaker: CircuitBreaker) -> None:
    fail(breaker, 0, 0, 0)
    assert breaker.state(15) == "half-open"
    probe = breaker.admit(15)
    assert probe is not None
    assert breaker.admit(15) is None
    assert breaker.admit(100) is None
    breaker.succeeded(probe)
    assert breaker.state(15) == "closed"
    assert breaker.admit(15) is not None


def test_a_probe_that_begins_to_be_answered_locks_nobody_out(breaker: CircuitBreaker) -> None:
    fail(breaker, 0, 0, 0)
    probe = breaker.admit(15)
    assert probe is not None
    going_on = breaker.began(probe)
    assert breaker.state(15) == "closed"
    breaker.failed(going_on, 16)
    fail(breaker, 16)
    assert breaker.state(16) == "closed"
    fail(breaker, 16)
    assert breaker.state(16) == "open"


def test_to_begin_makes_up_for_no_failure(breaker: CircuitBreaker) -> None:
    for _ in range(3):
        admission = breaker.admit(0)
        assert admission is not None
        breaker.failed(breaker.began(admission), 0)
    assert breaker.state(0) == "open"


def test_a_failed_probe_leaves_it_alone_for_as_long_again(breaker: CircuitBreaker) -> None:
    fail(breaker, 0, 0, 0, 15)
    assert breaker.state(29) == "open"
    assert breaker.state(30) == "half-open"


def test_an_abandoned_probe_makes_room_for_the_next(breaker: CircuitBreaker) -> None:
    fail(breaker, 0, 0, 0)
    probe = breaker.admit(15)
    assert probe is not None
    breaker.abandoned(probe)
    assert breaker.state(15) == "half-open"
    assert breaker.admit(15) is not None


def test_what_began_before_it_opened_neither_closes_nor_prolongs_it(
    breaker: CircuitBreaker,
) -> None:
    early = [breaker.admit(0) for _ in range(3)]
    fail(breaker, 0, 0, 0)
    for late in early:
        assert late is not None
        breaker.succeeded(late)
        breaker.failed(late, 14)
        breaker.abandoned(late)
    assert breaker.state(14) == "open"
    probe = breaker.admit(15)
    assert probe is not None
    assert early[0] is not None
    breaker.succeeded(early[0])
    assert breaker.state(15) == "half-open"


def test_an_answer_that_breaks_off_after_a_good_probe_counts_as_any_failure(
    breaker: CircuitBreaker,
) -> None:
    fail(breaker, 0, 0, 0)
    probe = breaker.admit(15)
    assert probe is not None
    breaker.failed(breaker.succeeded(probe), 16)
    fail(breaker, 17)
    assert breaker.state(17) == "closed"
    fail(breaker, 18)
    assert breaker.state(18) == "open"


class Storm(RuleBasedStateMachine):
    """Any course of requests, each told of at most once."""

    admissions: Bundle[Admission] = Bundle("admissions")

    def __init__(self) -> None:
        super().__init__()
        self.breaker = CircuitBreaker(POLICY)
        self.now = 0.0

    @rule(seconds=st.floats(0, 40))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(target=admissions)
    def ask(self) -> Admission:
        would = self.breaker.would_admit(self.now)
        state = self.breaker.state(self.now)
        admission = self.breaker.admit(self.now)
        assert (admission is not None) is would
        assert not (would and state == "open")
        if state == "half-open" and admission is not None:
            assert self.breaker.admit(self.now) is None
        return Admission(-1) if admission is None else admission

    @rule(admission=consumes(admissions))
    def succeed(self, admission: Admission) -> None:
        self.breaker.succeeded(admission)

    @rule(admission=consumes(admissions))
    def fail(self, admission: Admission) -> None:
        self.breaker.failed(admission, self.now)

    @rule(admission=consumes(admissions))
    def abandon(self, admission: Admission) -> None:
        self.breaker.abandoned(admission)

    @invariant()
    def it_is_never_shut_for_good(self) -> None:
        later = self.now + POLICY.open_s
        assert self.breaker.state(later) != "open"


Storm.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
test_any_course_of_requests = Storm.TestCase
