"""More and more calls, until something gives; and what is told of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from inzwa_rtc.bench.door import NotLetIn, Refused
from inzwa_rtc.bench.fleet import Fleet, SetUps, Watched
from inzwa_rtc.bench.ramp import Limits, Step, capacity, end_of, following, judged, ramp
from inzwa_rtc.bench.report import chart, row, to_json, verdict

GOOD = Watched(
    calls=4,
    seconds=20.0,
    responses_ms=(300.0,) * 19 + (320.0,),
    stops_ms=(120.0,),
    cuts_ms=(240.0,),
    waits_ms=(100.0,),
    unanswered=0,
    early=0,
    talked_on=0,
    lost=0,
    late_ms=np.array([1.0] * 99 + [30.0]),
    gaps=0,
    heard_s=40.0,
    own_late_ms=1.0,
)
LIMITS = Limits(outbound_ms=40.0, response_ms=1200.0)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        ({"lost": 2}, "2 calls lost"),
        ({"unanswered": 1}, "1 questions were not answered"),
        ({"late_ms": np.array([])}, "nothing was heard"),
        ({"late_ms": np.array([50.0] * 10)}, "50 ms late"),
        ({"responses_ms": (1500.0,) * 10}, "answers take 1500 ms"),
        ({"responses_ms": ()}, "no question was answered"),
        ({"responses_ms": (), "seconds": 5.0}, ""),  # there was no time for one
        ({"waits_ms": (1500.0,) * 5}, "answers take 1500 ms"),  # so far
        ({"responses_ms": (), "waits_ms": (1500.0,)}, "answers take 1500 ms"),
    ],
)
def test_what_callers_cannot_bear_is_named(changes: dict[str, Any], said: str) -> None:
    broken = LIMITS.broken_by(replace(GOOD, **changes))
    assert said in broken
    assert bool(broken) == bool(said)


def test_answers_may_take_any_time_where_there_is_no_limit() -> None:
    assert Limits(response_ms=None).broken_by(replace(GOOD, responses_ms=(9e9,))) == ""


def test_nothing_is_said_of_a_server_by_callers_who_were_late_themselves() -> None:
    step = judged(replace(GOOD, own_late_ms=6.0, lost=1), LIMITS)
    assert (step.is_void, step.is_held, step.broken) == (True, False, "")
    assert judged(replace(GOOD, own_late_ms=6.0), replace(LIMITS, own_late_ms=7.0)).is_held


def test_the_next_number_of_calls_is_a_fifth_more() -> None:
    assert [following(count) for count in (1, 4, 5, 10, 50)] == [2, 5, 6, 12, 60]


class FleetOf:
    """A fleet whose server bears so many calls, and takes so many."""

    def __init__(self, bears: int, takes: int = 10**6, late_from: int = 10**6) -> None:
        self.calls = 0
        self.set_ups = SetUps()
        self.bad_moments: set[int] = set()
        self.refusals = 0
        """So often it refuses, and takes calls after that."""
        self.waits: list[float] = []
        self._bears, self._takes, self._late_from = bears, takes, late_from

    async def grow(self, count: int) -> None:
        if count > self._takes:
            raise Refused("The server takes no more calls.", retry_after_s=5)
        if self.refusals and count > 1:
            self.refusals -= 1
            raise Refused("The server takes no more calls.", retry_after_s=5)
        self.calls = max(self.calls, count)
        self.set_ups.connected_ms.append(1.0)

    async def shrink(self, count: int) -> None:
        self.calls = min(self.calls, count)

    async def settle(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def watch(self, seconds: float) -> Watched:
        is_bad = self.calls > self._bears or self.calls in self.bad_moments
        self.bad_moments.discard(self.calls)
        late = np.array([90.0 if is_bad else 2.0])
        own = 9.0 if self.calls >= self._late_from else 1.0
        return replace(GOOD, calls=self.calls, late_ms=late, own_late_ms=own)


async def steps_of(fleet: Any, most: int = 100) -> list[Step]:
    return [
        step async for step in ramp(fleet, LIMITS, start=1, most=most, settle_s=0.0, seconds=1.0)
    ]


async def test_a_step_that_is_not_held_is_watched_twice() -> None:
    steps = await steps_of(FleetOf(bears=7))
    assert [step.calls for step in steps] == [1, 2, 3, 4, 5, 6, 7, 8, 8]
    assert [step.is_held for step in steps] == [True] * 7 + [False] * 2
    held = capacity(steps)
    assert held is not None
    assert held.calls == 7


async def test_one_bad_moment_does_not_end_the_ramp() -> None:
    fleet = FleetOf(bears=1000)
    fleet.bad_moments = {3}
    steps = await steps_of(fleet, most=4)
    assert [(step.calls, step.is_held) for step in steps] == [
        (1, True),
        (2, True),
        (3, False),
        (3, True),
        (4, True),
    ]


async def test_the_ramp_ends_at_the_most_calls_that_are_asked_for() -> None:
    steps = await steps_of(FleetOf(bears=1000), most=11)
    assert [step.calls for step in steps][-2:] == [10, 11]
    assert all(step.is_held for step in steps)


async def test_the_ramp_ends_where_the_server_refuses() -> None:
    steps = await steps_of(FleetOf(bears=1000, takes=3))
    assert (steps[-1].calls, steps[-1].seen) == (4, None)
    assert steps[-1].broken == "The server takes no more calls."
    assert "This machine holds 3 calls at p95 301 ms (4 calls: The server" in verdict(steps)[0]


async def test_a_server_that_refuses_is_asked_again_when_it_wants_to_be() -> None:
    fleet = FleetOf(bears=1000)
    fleet.refusals = 1
    steps = await steps_of(fleet, most=2)
    assert [(step.calls, step.is_held) for step in steps] == [(1, True), (2, True)]
    assert 5 in fleet.waits


async def test_a_server_that_takes_not_even_one_call_is_no_measure_of_it() -> None:
    with pytest.raises(Refused):
        await steps_of(FleetOf(bears=1000, takes=0))


async def test_what_forbids_more_calls_is_no_limit_of_the_machine() -> None:
    class Guarded(FleetOf):
        async def grow(self, count: int) -> None:
            if count > 2:
                raise NotLetIn("Too many calls a minute.")
            await super().grow(count)

    with pytest.raises(NotLetIn):
        await steps_of(Guarded(bears=1000))


@pytest.mark.parametrize("bears", [3, 8, 37, 45, 63, 64])
async def test_the_end_is_looked_for_between_what_was_held_and_what_was_not(bears: int) -> None:
    steps = [
        step
        async for step in ramp(
            cast(Fleet, FleetOf(bears)),
            LIMITS,
            start=8,
            most=200,
            settle_s=0.0,
            seconds=1.0,
            grown=lambda count: 2 * count,
        )
    ]
    held, end = capacity(steps), end_of(steps)
    assert held is not None
    assert end is not None
    assert held.calls <= bears < end.calls
    assert end.calls - held.calls <= max(1, bears // 20)


async def test_where_the_callers_give_first_at_least_so_many_are_held() -> None:
    steps = await steps_of(FleetOf(bears=1000, late_from=5))
    assert steps[-1].is_void
    assert end_of(steps) is None
    assert verdict(steps)[0].startswith(
        "This machine holds at least 4 calls at p95 301 ms (5 calls"
    )
    assert "callers themselves were late" in verdict(steps)[0]
    assert "void: the callers were 9 ms late" in row(steps[-1])
    assert to_json(steps, LIMITS)["at_least"]


def test_between_what_was_held_and_what_was_not_there_may_be_what_nobody_knows() -> None:
    held, void, broken = Step(8, GOOD), Step(10, GOOD, is_void=True), Step(16, GOOD, "late")
    assert end_of([held, broken]) is broken
    assert end_of([held, broken, void]) is None
    assert end_of([held, broken, void, Step(10, GOOD, "late")]) == Step(10, GOOD, "late")


async def test_the_verdict_names_a_server_elsewhere() -> None:
    steps = await steps_of(FleetOf(bears=2))
    assert verdict(steps, where="The server at x")[0].startswith("The server at x holds 2 calls")


async def test_a_server_that_holds_no_call_is_said_to_hold_none() -> None:
    steps = await steps_of(FleetOf(bears=0))
    assert capacity(steps) is None
    assert verdict(steps) == ["Not one step was held (1 call: packets come up to 90 ms late)."]
    assert to_json(steps, LIMITS)["held"] == 0


async def test_people_see_a_bar_for_each_step_and_programs_all_figures() -> None:
    steps = await steps_of(FleetOf(bears=2))
    bars = chart(steps, LIMITS)[1:]
    assert [bar.split()[0] for bar in bars] == ["1", "2", "3", "3"]
    assert all("█" in bar for bar in bars)
    assert all("#" in bar for bar in chart(steps, LIMITS, encoding="ascii")[1:])
    assert chart([Step(1, None, "no")], LIMITS) == []
    assert "late" in row(steps[-1])
    told = json.loads(json.dumps(to_json(steps, LIMITS)))
    assert told["held"] == 2
    assert [step["calls"] for step in told["steps"]] == [1, 2, 3, 3]
    assert told["steps"][0]["outbound_late_ms"]["p99"] == 2.0
    assert told["steps"][0]["barge_in_ms"] == [120.0]
