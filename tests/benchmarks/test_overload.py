"""What is said of a run beyond a server's limit: held, missed, or worth nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from benchmarks.overload import Knocks, told
from inzwa_rtc.bench.fleet import Watched


def seen(late_ms: float = 5.0, own_late_ms: float = 1.0, lost: int = 0) -> Watched:
    values: dict[str, Any] = {field.name: () for field in fields(Watched)}
    values |= {"calls": 20, "lost": lost, "unanswered": 0, "gaps": 0, "heard_s": 2.0}
    values |= {"late_ms": np.full(100, late_ms), "own_late_ms": own_late_ms}
    return Watched(**values)


REFUSED = Knocks(Counter({"server_full": 20}), [10.0] * 20)


def test_the_goals_were_met() -> None:
    lines = told(20, seen(), REFUSED, 0)
    assert not {"missed", "void: the callers themselves were late"} & set(lines)
    assert "refusal, p95: 10.0 ms (goal: under 200)" in lines


@pytest.mark.parametrize(
    ("watched", "knocks"),
    [
        (seen(late_ms=41), REFUSED),
        (seen(lost=1), REFUSED),
        (seen(), Knocks(Counter({"server_full": 20}), [250.0] * 20)),
        (seen(), Knocks(Counter({"server_full": 19, "taken": 1}), [10.0] * 19)),
    ],
)
def test_a_goal_was_missed(watched: Watched, knocks: Knocks) -> None:
    assert told(20, watched, knocks, 0)[-1] == "missed"


def test_callers_that_were_late_themselves_know_nothing_of_the_server() -> None:
    assert told(20, seen(late_ms=500, own_late_ms=50), REFUSED, 0)[-1].startswith("void")
