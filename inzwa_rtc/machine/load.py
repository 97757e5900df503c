"""How busy the processors and the memory are that the server and its engines share.

Both are measured for the whole machine and for every control group with a limit; the
tightest one counts.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import psutil

from inzwa_rtc.machine.cgroup import Cgroup, cgroups
from inzwa_rtc.machine.processors import affinity


class MachineLoad(NamedTuple):
    """Percent of what there is."""

    cpu_percent: float
    memory_percent: float


class Processors(Protocol):
    """Processors whose use is counted."""

    def used(self) -> tuple[float, float]:
        """Seconds in which they were used, and seconds that they had to give, from some
        moment on."""
        ...


class LoadMeter:
    """`read` it at a steady interval: processor use is the mean of the last `readings`."""

    def __init__(self, readings: int, groups: Sequence[Cgroup] | None = None) -> None:
        self._groups = cgroups() if groups is None else groups
        counted: list[Processors] = [_Machine()]
        counted += [
            _Group(group, quota)
            for group in self._groups
            if (quota := group.processors()) is not None
        ]
        self._means = [CpuMean(processors, readings) for processors in counted]

    def read(self) -> MachineLoad:
        """The load now."""
        limited = [group.memory_percent() for group in self._groups]
        memory = [psutil.virtual_memory().percent, *(one for one in limited if one is not None)]
        return MachineLoad(max(mean.percent() for mean in self._means), max(memory))


def memory_left(groups: Sequence[Cgroup] | None = None) -> int:
    """Bytes that may still be taken."""
    limited = [one.memory_left() for one in (cgroups() if groups is None else groups)]
    return min([psutil.virtual_memory().available, *(one for one in limited if one is not None)])


class CpuMean:
    """The mean use of some processors over as many readings; before the first they were idle,
    as the work of a start is no load that lasts."""

    def __init__(self, processors: Processors, readings: int) -> None:
        self._processors = processors
        self._readings = readings
        self._read = deque([processors.used()], maxlen=readings + 1)

    def percent(self) -> float:
        """Reads once more, and tells the mean since the oldest reading kept."""
        self._read.append(self._processors.used())
        (used_then, had_then), (used, had) = self._read[0], self._read[-1]
        if had <= had_then:
            return 0.0
        read = (len(self._read) - 1) / self._readings
        return min(100.0, max(0.0, 100 * read * (used - used_then) / (had - had_then)))


class _Machine:
    """The processors that this process may run on, whoever uses them."""

    def __init__(self) -> None:
        self._numbers = affinity()

    def used(self) -> tuple[float, float]:
        used = had = 0.0
        for number, times in enumerate(psutil.cpu_times(percpu=True)):
            if number in self._numbers:
                # Linux counts what guests use as the user's as well.
                guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
                total = sum(times) - guests
                had += total
                used += total - times.idle - getattr(times, "iowait", 0.0)
        return used, had


class _Group:
    """The share that a control group's quota gives it."""

    def __init__(self, group: Cgroup, processors: float) -> None:
        self._group = group
        self._processors = processors

    def used(self) -> tuple[float, float]:
        return self._group.cpu_seconds(), self._processors * time.monotonic()
