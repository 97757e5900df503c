"""Several ways of doing the same, tried in turn, compared within each round.

The speed of a shared machine drifts by more than half between minutes. What two ways took in
one round they took within seconds of each other: their ratio survives that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


class Rounds:
    """Samples of each way and quantity, one a round, as a table.

    `units` names the quantities. Those that are `compared` are also told as a part of what the
    way `baseline` took.
    """

    def __init__(
        self,
        title: str,
        units: Mapping[str, str],
        *,
        baseline: str = "",
        compared: Sequence[str] = (),
    ) -> None:
        self.title = title
        self.notes: list[str] = []
        self._units = units
        self._baseline = baseline
        self._compared = compared
        self._samples: dict[str, dict[str, list[float]]] = {}
        self._targets: dict[tuple[str, str], float] = {}

    def add(self, way: str, quantities: Mapping[str, float]) -> None:
        """One more sample of each quantity."""
        samples = self._samples.setdefault(way, {name: [] for name in self._units})
        for name, value in quantities.items():
            samples[name].append(value)

    def aim(self, way: str, quantity: str, target: float) -> None:
        """The median is to be no more than this."""
        self._targets[way, quantity] = target

    def median(self, way: str, quantity: str) -> float:
        """The middle sample. Raises `KeyError` where there is none."""
        return float(np.median(self._samples[way][quantity]))

    def markdown(self) -> str:
        """A table of medians, each with its extremes, and below it the notes."""
        head = ["", *(f"{name}, {unit}" for name, unit in self._units.items())]
        head += [f"{name}, ratio to {self._baseline}" for name in self._compared]
        rows = [[way, *self._cells(way)] for way in self._samples]
        lines = [head, ["---"] * len(head), *rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return "\n\n".join([f"### {self.title}", table, *self.notes])

    def to_json(self) -> dict[str, Any]:
        """All samples."""
        return {
            "title": self.title,
            "units": dict(self._units),
            "baseline": self._baseline,
            "samples": self._samples,
            "targets": [
                {"way": way, "quantity": quantity, "at_most": value}
                for (way, quantity), value in self._targets.items()
            ],
            "notes": self.notes,
        }

    def _cells(self, way: str) -> list[str]:
        cells = [self._cell(way, name) for name in self._units]
        return cells + [self._ratio(way, name) for name in self._compared]

    def _cell(self, way: str, name: str) -> str:
        samples = self._samples[way][name]
        cell = spread(samples)
        if (target := self._targets.get((way, name))) is not None and samples:
            verdict = "met" if np.median(samples) <= target else "missed"
            cell += f"; target {target:g} {verdict}"
        return cell

    def _ratio(self, way: str, name: str) -> str:
        """Of one quantity, round by round."""
        ours, theirs = self._samples[way][name], self._samples.get(self._baseline, {})
        pairs = list(zip(ours, theirs.get(name, []), strict=False))
        return spread([one / other for one, other in pairs if other])


def spread(samples: Sequence[float]) -> str:
    """Median and, where there are several, the extremes, with three digits."""
    if not samples:
        return "-"
    middle = _short(float(np.median(samples)))
    if len(samples) == 1:
        return middle
    return f"{middle} ({_short(min(samples))}-{_short(max(samples))})"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
