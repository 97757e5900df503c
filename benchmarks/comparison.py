"""What `media.py` found: tables of all servers, round by round, and the goals beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.contenders import SILENCE_MS
from benchmarks.rounds import Rounds, ratios, spread
from inzwa_rtc.bench.fleet import SetUps, Watched
from inzwa_rtc.bench.ramp import Step, capacity, end_of

OURS, FLOOR = "inzwa", "floor"
CPU, MEMORY = "CPU per call-second", "memory per call"
OWN_CPU = "callers' CPU per call-second"
RESPONSE, BARGE_IN, CUT = "response", "barge-in", "turn cancelled"
SET_UP, HELD = "connected", "calls held"
ACTIVE = 5
"""So many calls are those that the goals are for."""

_UNITS = {
    CPU: "ms",
    MEMORY: "MiB",
    f"{RESPONSE} p50": "ms",
    f"{RESPONSE} p95": "ms",
    "answers": "count",
    f"{BARGE_IN} p50": "ms",
    f"{BARGE_IN} p95": "ms",
    f"{CUT} p50": "ms",
    f"{CUT} p95": "ms",
    "interruptions": "count",
    "outbound lateness p99": "ms",
    "gaps per call and minute": "count",
    "unanswered": "count",
    "answered early": "count",
    "not stopped": "count",
    "sound per call-second": "s",
    "callers' lateness p99": "ms",
    OWN_CPU: "ms",
    "other work": "cores",
}
_COMPARED = (CPU, f"{RESPONSE} p50", f"{BARGE_IN} p50")


class Comparison:
    """`counts` of talking calls, and `idle` ones that say nothing (0: none)."""

    def __init__(self, counts: Sequence[int], idle: int) -> None:
        labels = [active(count) for count in counts] + ([silent(idle)] if idle else [])
        self.levels = {
            label: Rounds(label, _UNITS, baseline=OURS, compared=_COMPARED) for label in labels
        }
        units = {f"{SET_UP} p50": "ms", f"{SET_UP} p95": "ms", "first packet p50": "ms"}
        self.set_up = Rounds("Set-up", units, baseline=OURS, compared=(f"{SET_UP} p50",))
        held = {HELD: "count", "of which more might be held": "1: yes"}
        self.held = Rounds("Calls held on one processor", held, baseline=OURS, compared=(HELD,))
        self.notes: list[str] = []
        self._idle = silent(idle)
        self._all: defaultdict[tuple[str, str, str], dict[int, Sequence[float]]]
        self._all = defaultdict(dict)

    def add_level(
        self, name: str, number: int, what: str, seen: Watched, costs: Mapping[str, float]
    ) -> None:
        """What so many calls of one server came to in one round."""
        samples = {
            RESPONSE: [ms - SILENCE_MS for ms in seen.responses_ms],
            BARGE_IN: seen.stops_ms,
            CUT: seen.cuts_ms,
        }
        for quantity, found in samples.items():
            self._all[what, name, quantity][number] = found
        self.levels[what].add(name, {**costs, **_quality(seen), **_middles(samples)}, number)

    def add_set_ups(self, name: str, number: int, seen: SetUps) -> None:
        """Those of one run."""
        self._all["", name, SET_UP][number] = seen.connected_ms
        found = _middles({SET_UP: seen.connected_ms})
        if seen.first_packet_ms:
            found["first packet p50"] = float(np.median(seen.first_packet_ms))
        self.set_up.add(name, found, number)

    def add_ramp(self, name: str, number: int, steps: Sequence[Step]) -> None:
        """How many calls were held. Where callers gave first, it is known of so many only."""
        held, end = capacity(list(steps)), end_of(list(steps))
        calls = held.calls if held else 0
        told = f"at {end.calls} {end.broken}" if end else "what gave were the callers, or the plan"
        self.notes.append(f"round {number}, {name} held {calls}: {told}")
        if held is None and end is None:
            return  # nothing is known
        quantities = {HELD: float(calls), "of which more might be held": float(end is None)}
        self.held.add(name, quantities, number)

    def add_floor(self, number: int, costs: Mapping[str, float]) -> None:
        """What no server can leave out, in ms of CPU time, by the names of the levels."""
        for what, ms in costs.items():
            self.levels[what].add(FLOOR, {CPU: ms}, number)

    def tables(self) -> list[Rounds]:
        """All that have samples."""
        return [*self.levels.values(), self.set_up, self.held]

    def goals(self) -> str:
        """Ours against what is to be reached, with the number of rounds or samples."""
        rows = [
            _row(*goal, found)
            for goal, found in [
                (("CPU of 5 calls, ratio to pipecat's", "<=", 0.125), self._cpu("pipecat")),
                (("CPU of 5 calls, ratio to aiortc's", "<=", 0.25), self._cpu("aiortc")),
                (("CPU of 5 calls, ratio to the floor", "<=", 1.5), self._cpu(FLOOR)),
                (("CPU, an idle call's ratio to an active one's", "<=", 0.5), self._idle_ratio()),
                (("calls held, ratio to pipecat's", ">=", 8), self._held("pipecat")),
            ]
        ]
        for title, quantity, percent, most in (
            (f"{RESPONSE} p50, ms", RESPONSE, 50, 80),
            (f"{BARGE_IN} p50, ms", BARGE_IN, 50, 130),
            (f"{BARGE_IN} p95, ms", BARGE_IN, 95, 160),
            (f"{CUT} p95, ms", CUT, 95, 250),
        ):
            samples = self._pooled(active(ACTIVE), quantity)
            rows.append(_pooled_row(title, samples, percent, most))
        rows.append(_pooled_row(f"{SET_UP} p50, ms", self._pooled("", SET_UP), 50, 100))
        memory = list(self._level(OURS, MEMORY).values())
        rows.append(_row("memory per call, MiB", "<=", 2, memory))
        head = "| goal | found | n | to reach | |\n| --- | --- | --- | --- | --- |"
        return "\n".join(["### Goals, at 5 calls", "", head, *rows])

    def to_json(self) -> dict[str, Any]:
        """All samples."""
        answers = [
            {"level": what, "server": name, "quantity": quantity, "rounds": found}
            for (what, name, quantity), found in self._all.items()
        ]
        tables = [table.to_json() for table in self.tables()]
        return {"tables": tables, "samples": answers, "notes": self.notes}

    def _level(self, name: str, quantity: str) -> dict[int, float]:
        table = self.levels.get(active(ACTIVE))
        return table.of(name, quantity) if table else {}

    def _cpu(self, other: str) -> list[float]:
        return ratios(self._level(OURS, CPU), self._level(other, CPU))

    def _idle_ratio(self) -> list[float]:
        idle = self.levels.get(self._idle)
        return ratios(idle.of(OURS, CPU), self._level(OURS, CPU)) if idle else []

    def _held(self, other: str) -> list[float]:
        return ratios(self.held.of(OURS, HELD), self.held.of(other, HELD))

    def _pooled(self, what: str, quantity: str) -> list[float]:
        return [ms for found in self._all[what, OURS, quantity].values() for ms in found]


def active(count: int) -> str:
    """The name of the level of so many calls."""
    return f"{count} call{'s' if count > 1 else ''}"


def silent(count: int) -> str:
    """Of so many that say nothing."""
    return f"{active(count)}, nobody speaks"


def _quality(seen: Watched) -> dict[str, float]:
    """What callers noticed, as far as there is anything to notice."""
    found = {
        "answers": len(seen.responses_ms),
        "interruptions": len(seen.stops_ms) + seen.talked_on,
        "gaps per call and minute": seen.gaps / seen.calls / seen.seconds * 60,
        "unanswered": seen.unanswered,
        "answered early": seen.early,
        "not stopped": seen.talked_on,
        "sound per call-second": seen.heard_s / seen.calls / seen.seconds,
        "callers' lateness p99": seen.own_late_ms,
    }
    if len(seen.late_ms):
        found["outbound lateness p99"] = seen.outbound_ms()
    return found


def _middles(samples: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {
        f"{name} p{percent}": float(np.percentile(found, percent))
        for name, found in samples.items()
        for percent in (50, 95)
        if len(found)
    }


def _row(title: str, sign: str, bound: float, found: Sequence[float]) -> str:
    """The median of the rounds against the bound."""
    middle = float(np.median(found)) if found else None
    return _told(title, spread(found), len(found), sign, bound, middle)


def _pooled_row(title: str, samples: Sequence[float], percent: float, most: float) -> str:
    """A percentile of the samples of all rounds against the bound."""
    value = float(np.percentile(samples, percent)) if samples else None
    cell = "-" if value is None else f"{value:.0f}"
    return _told(title, cell, len(samples), "<=", most, value)


def _told(title: str, cell: str, count: int, sign: str, bound: float, value: float | None) -> str:
    verdict = ""
    if value is not None:
        verdict = "met" if (value <= bound if sign == "<=" else value >= bound) else "missed"
    return f"| {title} | {cell} | {count} | {sign} {bound:g} | {verdict} |"
