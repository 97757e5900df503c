"""Calls are watched until in a run that counts, and cost what they add."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from benchmarks import visit as visits
from benchmarks.comparison import CPU, MEMORY, Comparison
from benchmarks.contenders import CONTENDERS
from benchmarks.server import Running
from benchmarks.visit import TRIES, Plan, Visit
from inzwa_rtc.bench.door import NoCall
from inzwa_rtc.bench.fleet import Fleet, Watched
from inzwa_rtc.bench.ramp import Limits

MIB = 1024 * 1024
SEEN = Watched(
    calls=2,
    seconds=10.0,
    responses_ms=(260.0,),
    stops_ms=(),
    cuts_ms=(),
    waits_ms=(),
    unanswered=0,
    early=0,
    talked_on=0,
    lost=0,
    late_ms=np.array([1.0]),
    gaps=0,
    heard_s=8.0,
    own_late_ms=1.0,
)
VOID = replace(SEEN, own_late_ms=9.0)


class Two:
    """Two calls that talk, and what is found when they are watched."""

    calls = 2
    talks = True

    def __init__(self, *found: Watched) -> None:
        self.left = list(found)

    async def settle(self, seconds: float) -> None:
        """At once."""

    async def watch(self, seconds: float) -> Watched:
        return self.left.pop(0)


class Costly:
    """A server that takes two seconds of CPU time and 6 MiB whenever one looks."""

    def __init__(self) -> None:
        self._cpu_s, self._bytes = 0.0, 100 * MIB

    def cpu_s(self) -> float:
        self._cpu_s += 2.0
        return self._cpu_s

    def resident(self) -> int:
        self._bytes += 6 * MIB
        return self._bytes


@pytest.fixture
def visit() -> Visit:
    return Visit(CONTENDERS[0], 3, Plan((2,), 2, 0, 10.0, Limits()), Comparison((2,), 2))


async def looked(visit: Visit, *found: Watched) -> Two:
    two = Two(*found)
    await visit.level(cast(Fleet, two), cast(Running, Costly()), 100 * MIB)
    return two


async def test_a_void_run_is_told_and_repeated(visit: Visit) -> None:
    await looked(visit, VOID, SEEN)
    table = visit.comparison.levels["2 calls"]
    assert table.of("inzwa", CPU) == {3: 100.0}
    assert [note.split(" (")[0] for note in visit.comparison.notes] == [
        "void: round 3, inzwa, 2 calls"
    ]


async def test_after_some_void_runs_there_is_no_sample(visit: Visit) -> None:
    two = await looked(visit, *[VOID] * TRIES, SEEN)
    assert visit.comparison.levels["2 calls"].of("inzwa", CPU) == {}
    assert len(two.left) == 1
    assert len(visit.comparison.notes) == TRIES


async def test_a_fleet_is_measured_from_what_the_server_held_before_it_as_far_as_it_comes_about(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Up(Two):
        def __init__(self, *_: object) -> None:
            super().__init__(SEEN)

        def up(self) -> Up:
            return self

        async def __aenter__(self) -> Up:
            return self

        async def __aexit__(self, *_: object) -> None: ...

        async def grow(self, count: int) -> None:
            if count > 2:
                raise NoCall("Nobody answers.")

    monkeypatch.setattr(visits, "Fleet", Up)
    monkeypatch.setattr(visits, "REST_S", 0.0)
    costly = Costly()
    costly.url = "http://127.0.0.1:9"  # type: ignore[attr-defined]
    costly.resident()  # calls that came and went before
    await visit.fleet(cast(Running, costly), None, (2, 5))
    assert visit.comparison.notes[-1].endswith("5 calls did not come about: Nobody answers.")
    assert visit.comparison.levels["2 calls"].of("inzwa", MEMORY) == {3: 3.0}
