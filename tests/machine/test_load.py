"""The load that is measured: of the machine, or of a smaller share that we have of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from inzwa_rtc.machine.cgroup import Cgroup
from inzwa_rtc.machine.load import CpuMean, LoadMeter


class Counted:
    """Processors whose counters a test decides."""

    def __init__(self, counters: Iterable[tuple[float, float]]) -> None:
        self._counters = iter(counters)

    def used(self) -> tuple[float, float]:
        return next(self._counters)


def test_the_mean_is_that_of_the_last_readings() -> None:
    counters = [(0, 0), (2, 2), (2, 4), (2, 6), (2, 8), (4, 10)]
    mean = CpuMean(Counted(counters), readings=2)
    # One reading in two does not make a load that lasts.
    assert [mean.percent() for _ in counters[1:]] == [50, 50, 0, 0, 50]


def test_counters_that_stand_still_or_go_back_are_no_load() -> None:
    mean = CpuMean(Counted([(5, 5), (5, 5), (4, 6)]), readings=1)
    assert [mean.percent(), mean.percent()] == [0, 0]


def test_the_machine_is_measured() -> None:
    cpu_percent, memory_percent = LoadMeter(readings=1, groups=()).read()
    assert 0 <= cpu_percent <= 100
    assert 0 < memory_percent < 100


def test_a_container_that_uses_up_its_share_is_busy_on_an_idle_machine(tmp_path: Path) -> None:
    for name, text in {
        "cpu.max": "100000 100000",
        "cpu.stat": "usage_usec 0",
        "memory.max": "1000",
        "memory.current": "999",
    }.items():
        (tmp_path / name).write_text(text)
    meter = LoadMeter(readings=1, groups=(Cgroup(tmp_path),))
    (tmp_path / "cpu.stat").write_text("usage_usec 3600000000")
    load = meter.read()
    assert load.cpu_percent == 100
    assert load.memory_percent == pytest.approx(99.9)
