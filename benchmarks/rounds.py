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
        self._samples: dict[str, dict[str, dict[int, float]]] = {}  # by way, quantity and round
        self._targets: dict[tuple[str, str], float] = {}

    def add(self, way: str, quantities: Mapping[str, float], number: int | None = None) -> None:
        """What one round found of each quantity. Where a round may be missing, each is to be
        given its `number`: only what is of the same round is compared."""
        samples = self._samples.setdefault(way, {name: {} for name in self._units})
        for name, value in quantities.items():
            key = len(samples[name]) if number is None else number
            samples[name][key] = value

    def aim(self, way: str, quantity: str, target: float) -> None:
        """The median is to be no more than this."""
        self._targets[way, quantity] = target

    def median(self, way: str, quantity: str) -> float:
        """The middle sample. Raises `KeyError` where there is none."""
        return float(np.median(list(self._samples[way][quantity].values())))

    def of(self, way: str, quantity: str) -> dict[int, float]:
        """All samples, by their rounds."""
        return dict(self._samples.get(way, {}).get(quantity, {}))

    def markdown(self) -> str:
        """A table of medians, each with its extremes, and below it the notes. `n` is the number
        of rounds; where a cell has fewer, it says how many."""
        head = ["", "n", *(f"{name}, {unit}" for name, unit in self._units.items())]
        head += [f"{name}, ratio to {self._baseline}" for name in self._compared]
        rows = [[way, str(self._rounds(way)), *self._cells(way)] for way in self._samples]
        lines = [head, ["---"] * len(head), *rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return "\n\n".join([f"### {self.title}", table, *self.notes])

    def to_json(self) -> dict[str, Any]:
        """All samples."""
        return {
            "title": self.title,
            "units": dict(self._units),
            "baseline": self._baseline,
            "samples": {
                way: {name: list(found.values()) for name, found in samples.items()}
                for way, samples in self._samples.items()
            },
            "rounds": {
                way: {name: list(found) for name, found in samples.items()}
                for way, samples in self._samples.items()
            },
            "targets": [
                {"way": way, "quantity": quantity, "at_most": value}
                for (way, quantity), value in self._targets.items()
            ],
            "notes": self.notes,
        }

    def _rounds(self, way: str) -> int:
        return max((len(found) for found in self._samples[way].values()), default=0)

    def _cells(self, way: str) -> list[str]:
        cells = [self._cell(way, name) for name in self._units]
        return cells + [self._ratio(way, name) for name in self._compared]

    def _cell(self, way: str, name: str) -> str:
        samples = list(self._samples[way][name].values())
        cell = spread(samples, of=self._rounds(way))
        if (target := self._targets.get((way, name))) is not None and samples:
            verdict = "met" if np.median(samples) <= target else "missed"
            cell += f"; target {target:g} {verdict}"
        return cell

    def _ratio(self, way: str, name: str) -> str:
        """Of one quantity, round by round."""
        pairs = ratios(self.of(way, name), self.of(self._baseline, name))
        return spread(pairs, of=self._rounds(way))


def ratios(ones: Mapping[int, float], others: Mapping[int, float]) -> list[float]:
    """Of each round in which there is both."""
    return [one / others[number] for number, one in ones.items() if others.get(number)]


def spread(samples: Sequence[float], of: int = 0) -> str:
    """Median and, where there are several, the extremes, with three digits; how many there are,
    where they are fewer than there might be."""
    if not samples:
        return "-"
    cell = _short(float(np.median(samples)))
    if len(samples) > 1:
        cell += f" ({_short(min(samples))}-{_short(max(samples))})"
    return cell if len(samples) >= of else f"{cell}, n {len(samples)}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
