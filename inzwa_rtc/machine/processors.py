"""How much of the machine's processors this process may use."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from inzwa_rtc.machine.cgroup import Cgroup, cgroups


def usable_processors(groups: Sequence[Cgroup] | None = None) -> float:
    """Processors, by this process's affinity and by the quotas of the groups that it is in."""
    quotas = [one.processors() for one in (cgroups() if groups is None else groups)]
    return min([float(len(affinity())), *(quota for quota in quotas if quota is not None)])


def affinity() -> frozenset[int]:
    """The numbers of the processors that this process may run on."""
    if sys.platform == "linux":
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))
