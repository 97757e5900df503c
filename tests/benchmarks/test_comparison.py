"""What is told of several servers is of the same rounds, and says how much there was of it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.comparison import CPU, HELD, MEMORY, Comparison
from inzwa_rtc.bench.fleet import SetUps, Watched
from inzwa_rtc.bench.ramp import Step

SEEN = Watched(
    calls=5,
    seconds=10.0,
    responses_ms=(260.0, 280.0),
    stops_ms=(120.0,),
    cuts_ms=(300.0,),
    waits_ms=(),
    unanswered=0,
    early=1,
    talked_on=1,
    lost=0,
    late_ms=np.array([1.0, 30.0]),
    gaps=0,
    heard_s=20.0,
    own_late_ms=1.0,
)
VOID = replace(SEEN, own_late_ms=9.0)


@pytest.fixture
def found() -> Comparison:
    return Comparison((1, 5), idle=5)


def add(found: Comparison, name: str, number: int, cpu: float) -> None:
    found.add_level(name, number, "5 calls", SEEN, {CPU: cpu, MEMORY: 1.0})


def row(found: Comparison, start: str) -> str:
    return next(line for line in found.goals().splitlines() if line.startswith(f"| {start}"))


def test_rounds_without_one_of_two_servers_are_not_compared(found: Comparison) -> None:
    for number, ours, theirs in ((1, 10, 100), (2, 40, None), (3, 10, 200)):
        add(found, "inzwa", number, ours)
        if theirs is not None:
            add(found, "pipecat", number, theirs)
    cells = "| 0.075 (0.05-0.1) | 2 | <= 0.125 | met |"
    assert row(found, "CPU of 5 calls, ratio to pipecat").endswith(cells)
    assert row(found, "CPU of 5 calls, ratio to aiortc").endswith("| - | 0 | <= 0.25 |  |")


def test_the_floor_and_silent_calls_of_the_same_round_stand_beside(found: Comparison) -> None:
    add(found, "inzwa", 1, 10)
    found.add_floor(1, {"1 call": 2.0, "5 calls": 5.0, "5 calls, nobody speaks": 3.0})
    found.add_level("inzwa", 1, "5 calls, nobody speaks", SEEN, {CPU: 6.0})
    assert row(found, "CPU of 5 calls, ratio to the floor").endswith("| 2 | 1 | <= 1.5 | missed |")
    assert row(found, "CPU, an idle call").endswith("| 0.6 | 1 | <= 0.5 | missed |")
    assert "| floor | 1 | 5 |" in found.levels["5 calls"].markdown()


def test_a_response_is_told_less_the_silence_that_ends_a_turn(found: Comparison) -> None:
    add(found, "inzwa", 1, 10)
    add(found, "inzwa", 2, 10)
    assert row(found, "response p50").endswith("| 70 | 4 | <= 80 | met |")
    assert row(found, "barge-in p95").endswith("| 120 | 2 | <= 160 | met |")
    assert row(found, "turn cancelled p95").endswith("| 300 | 2 | <= 250 | missed |")
    assert found.levels["5 calls"].of("inzwa", "answered early") == {1: 1, 2: 1}
    assert found.levels["5 calls"].of("inzwa", "interruptions") == {1: 2, 2: 2}


def test_calls_that_are_held_are_at_least_so_many_where_callers_gave_first(
    found: Comparison,
) -> None:
    held = [Step(8, SEEN), Step(16, SEEN)]
    found.add_ramp("inzwa", 1, [*held, Step(32, VOID, is_void=True)])
    found.add_ramp("pipecat", 1, [Step(8, SEEN, "late"), Step(4, SEEN, "late"), Step(2, SEEN)])
    assert found.held.of("inzwa", HELD) == {1: 16}
    assert found.held.of("inzwa", "of which more might be held") == {1: 1}
    assert found.held.of("pipecat", "of which more might be held") == {1: 0}
    assert row(found, "calls held").endswith("| 8 | 1 | >= 8 | met |")
    found.add_ramp("aiortc", 1, [Step(8, VOID, is_void=True)])
    assert found.held.of("aiortc", HELD) == {}
    assert "round 1, pipecat held 2: at 4 late" in found.notes


def test_programs_get_every_sample_with_its_round(found: Comparison) -> None:
    add(found, "inzwa", 2, 10)
    found.add_set_ups("inzwa", 2, SetUps([40.0, 60.0], [80.0]))
    told = json.loads(json.dumps(found.to_json()))
    samples = {(one["level"], one["quantity"]): one["rounds"] for one in told["samples"]}
    assert samples["5 calls", "response"] == {"2": [60, 80]}
    assert samples["", "connected"] == {"2": [40, 60]}
    assert row(found, "connected p50").endswith("| 50 | 2 | <= 100 | met |")
