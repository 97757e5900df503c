"""Measured figures: named series of samples, printed as a table or as JSON."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psutil


@dataclass(slots=True)
class Series:
    """Samples of one quantity; `unit` is part of what is printed."""

    name: str
    unit: str = "ms"
    samples: list[float] = field(default_factory=list)

    def add(self, sample: float) -> None:
        """One more sample."""
        self.samples.append(sample)

    @property
    def median(self) -> float:
        """The middle sample."""
        return float(np.median(self.samples))

    def summary(self) -> dict[str, Any]:
        """n, median, p95 (linear between samples), and the extremes as the spread."""
        if not self.samples:
            return {"name": self.name, "unit": self.unit, "n": 0}
        return {
            "name": self.name,
            "unit": self.unit,
            "n": len(self.samples),
            "median": round(self.median, 1),
            "p95": round(float(np.percentile(self.samples, 95)), 1),
            "min": round(min(self.samples), 1),
            "max": round(max(self.samples), 1),
        }


class Figures:
    """All series of a run, in the order in which they were first named."""

    def __init__(self) -> None:
        self._series: dict[str, Series] = {}
        self._counts: Counter[str] = Counter()
        self.notes: list[str] = []

    def __getitem__(self, name: str) -> Series:
        return self._series.setdefault(name, Series(name))

    def in_unit(self, unit: str, name: str) -> Series:
        """A series that is not in milliseconds."""
        return self._series.setdefault(name, Series(name, unit))

    def add(self, samples: Mapping[str, float], prefix: str = "") -> None:
        """One sample each, in milliseconds."""
        for name, sample in samples.items():
            self[f"{prefix}{name}"].add(sample)

    def count(self, what: str) -> None:
        """Something that has no length happened once more."""
        self._counts[what] += 1

    def ratios(self, ours: str, theirs: str) -> None:
        """Note the ratio of medians of each quantity that both prefixes have."""
        for name in [name for name in self._series if name.startswith(ours)]:
            other = self._series.get(theirs + name.removeprefix(ours))
            if other and other.samples and self._series[name].samples and other.median:
                ratio = self._series[name].median / other.median
                self.notes.append(f"{name} / {other.name}: {ratio:.2f} (ratio of medians)")

    def show(self, as_json: bool) -> str:
        """The table that is printed."""
        rows = [series.summary() for series in self._series.values()]
        notes = [*self.notes, *(f"{what}: {times}" for what, times in self._counts.items())]
        if as_json:
            series = [
                {**row, "samples": [round(sample, 2) for sample in self[row["name"]].samples]}
                for row in rows
            ]
            return json.dumps({"figures": series, "notes": notes}, indent=2)
        return "\n".join([_table(rows), "", *notes])


_COLUMNS = ("name", "unit", "n", "median", "p95", "min", "max")


def _table(rows: Iterable[Mapping[str, Any]]) -> str:
    cells = [list(_COLUMNS)] + [[str(row.get(column, "-")) for column in _COLUMNS] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_COLUMNS))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    )


class Machine:
    """How busy the machine is with other work than ours, for honesty about a run."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._busy_s = _busy_s()
        self._ours_s = -time.process_time()

    def count(self, cpu_s: float) -> None:
        """CPU time that the run itself took, in processes that are gone or known."""
        self._ours_s += cpu_s

    def others(self) -> float:
        """How many processors other work took. This process's own time is known by itself."""
        ours = self._ours_s + time.process_time()
        return max(0.0, _busy_s() - self._busy_s - ours) / (time.monotonic() - self._began)

    def note(self) -> str:
        """What to tell beside the figures."""
        length = time.monotonic() - self._began
        cores = os.cpu_count() or 1
        return (
            f"machine: {cores} cores; other work took {self.others():.2f} cores during the "
            f"{length:.0f} s of the run (load average {os.getloadavg()[0]:.1f})"
        )


def _busy_s() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system)
