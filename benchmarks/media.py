"""What calls cost: our server beside others, under the same load, on one processor.

    python -m benchmarks.media --install --rounds 3 --calls 1,5,10 --json media.json
    python -m benchmarks.media --only inzwa,pipecat --ramp 120        # how many calls each holds

Each round takes all servers in turn, in another order each time. A server runs on one processor,
the callers on another. All have the same speech, the same detector with the same thresholds,
200 ms of endpointing silence, and engines that cost nothing. A run in which the callers
themselves were late is void; it is told, and left out. docs/benchmarks.md says what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import server
from benchmarks.contenders import CACHE, CONFIG, CONTENDERS, Contender, NotInstalled, find_silero
from benchmarks.figures import Machine
from benchmarks.rounds import Rounds
from inzwa_rtc.bench.clock import LATE_MS
from inzwa_rtc.bench.course import Course
from inzwa_rtc.bench.fleet import Fleet, SetUps, Watched
from inzwa_rtc.bench.ramp import Limits, Step, capacity, judged, ramp
from inzwa_rtc.bench.utterance import utterance

SETTLE_S = 4.0
RAMP_S = 8.0
_MIB = 1024 * 1024
UNITS = {
    "CPU per call-second": "ms",
    "memory per call": "MiB",
    "response p50": "ms",
    "response p95": "ms",
    "barge-in p50": "ms",
    "barge-in p95": "ms",
    "outbound lateness p99": "ms",
    "gaps per call and minute": "count",
    "unanswered": "count",
    "not stopped": "count",
    "sound per call-second": "s",
    "callers' lateness p99": "ms",
}
COMPARED = ("CPU per call-second",)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured: `idle` calls say nothing; `most` calls end a ramp (0: no ramp)."""

    counts: tuple[int, ...]
    idle: int
    most: int
    seconds: float
    limits: Limits


class Results:
    """The tables, one for each number of calls, and what is measured once for each server."""

    def __init__(self, plan: Plan) -> None:
        labels = [_label(count) for count in plan.counts]
        labels += [_idle_label(plan.idle)] if plan.idle else []
        self.levels = {
            label: Rounds(label, UNITS, baseline="inzwa", compared=COMPARED) for label in labels
        }
        units = {"connected p50": "ms", "connected p95": "ms", "first packet p50": "ms"}
        self.set_up = Rounds("Set-up", units, baseline="inzwa", compared=("connected p50",))
        self.held = Rounds("Calls held", {"calls": "count"}, baseline="inzwa", compared=("calls",))
        self.notes: list[str] = []

    def tables(self) -> list[Rounds]:
        """All that have samples."""
        return [*self.levels.values(), self.set_up, self.held]

    def add_set_ups(self, name: str, seen: SetUps) -> None:
        """Those of one run."""
        quantities = {}
        if seen.connected_ms:
            quantities["connected p50"] = float(np.median(seen.connected_ms))
            quantities["connected p95"] = float(np.percentile(seen.connected_ms, 95))
        if seen.first_packet_ms:
            quantities["first packet p50"] = float(np.median(seen.first_packet_ms))
        self.set_up.add(name, quantities)


async def measure(
    contender: Contender, command: list[str], plan: Plan, results: Results, label: str
) -> None:
    """One round of one server."""
    course = Course(utterance("request"), utterance("question"), interrupts_every=2)
    async with server.started(command, core=0) as running:
        await _one_call(contender, running, course)
        await asyncio.sleep(1.0)
        rest = running.process.memory_info().rss
        if plan.idle:
            fleet = Fleet(running.url, contender.door, None)
            async with fleet.up():
                await _level(fleet, plan.idle, running, rest, plan, results, contender, label)
        fleet = Fleet(running.url, contender.door, course)
        async with fleet.up():
            for count in plan.counts:
                await _level(fleet, count, running, rest, plan, results, contender, label)
        results.add_set_ups(contender.name, fleet.set_ups)
        if plan.most:
            await _ramp(contender, running, course, plan, results, label)


async def _one_call(contender: Contender, running: server.Running, course: Course) -> None:
    """What a first call makes a server load is no part of what a call takes."""
    fleet = Fleet(running.url, contender.door, course)
    async with fleet.up():
        await fleet.grow(1)
        await fleet.settle(course.request.length_s * 2)


async def _level(
    fleet: Fleet,
    count: int,
    running: server.Running,
    rest: int,
    plan: Plan,
    results: Results,
    contender: Contender,
    label: str,
) -> None:
    """Watch so many calls."""
    await fleet.grow(count)
    await fleet.settle(SETTLE_S)
    before = running.cpu_s()
    seen = await fleet.watch(plan.seconds)
    cpu_s = running.cpu_s() - before
    size = (running.process.memory_info().rss - rest) / _MIB / count
    what = _label(count) if fleet.talks else _idle_label(count)
    step = judged(seen, plan.limits)
    if step.is_void:
        results.notes.append(
            f"void: {label}, {contender.name}, {what} (callers {seen.own_late_ms:.1f} ms late)"
        )
        return
    quantities = {"CPU per call-second": cpu_s * 1000 / seen.seconds / count, **_quality(seen)}
    results.levels[what].add(contender.name, {**quantities, "memory per call": size})


def _quality(seen: Watched) -> dict[str, float]:
    """What callers noticed, as far as there is anything to notice."""
    quantities = {
        "gaps per call and minute": seen.gaps / seen.calls / seen.seconds * 60,
        "unanswered": seen.unanswered,
        "not stopped": seen.talked_on,
        "sound per call-second": seen.heard_s / seen.calls / seen.seconds,
        "callers' lateness p99": seen.own_late_ms,
    }
    if len(seen.late_ms):
        quantities["outbound lateness p99"] = seen.outbound_ms()
    for name, samples in (("response", seen.responses_ms), ("barge-in", seen.stops_ms)):
        if samples:
            quantities[f"{name} p50"] = float(np.median(samples))
            quantities[f"{name} p95"] = float(np.percentile(samples, 95))
    return quantities


async def _ramp(
    contender: Contender,
    running: server.Running,
    course: Course,
    plan: Plan,
    results: Results,
    label: str,
) -> None:
    fleet = Fleet(running.url, contender.door, course)
    steps: list[Step] = []
    async with fleet.up():
        async for step in ramp(
            fleet, plan.limits, start=1, most=plan.most, settle_s=SETTLE_S, seconds=RAMP_S
        ):
            steps.append(step)
    last, held = steps[-1], capacity(steps)
    told = "callers were late" if last.is_void else last.broken or "no more were tried"
    results.notes.append(f"{label}, {contender.name}: at {last.calls} calls {told}")
    if not last.is_void:
        results.held.add(contender.name, {"calls": held.calls if held else 0})


async def run(contenders: list[Contender], given: argparse.Namespace, plan: Plan) -> Results:
    """All rounds."""
    results = Results(plan)
    taking_part = {}
    silero = given.silero or find_silero(given.peers)
    for contender in contenders:
        try:
            if given.install:
                contender.install(given.peers)
                silero = silero or find_silero(given.peers)
            taking_part[contender] = contender.command(given.peers, given.config, silero)
        except NotInstalled as error:
            results.notes.append(f"{contender.name} is left out: {error}")
    machine = Machine()
    for number in range(given.rounds):
        order = list(taking_part)
        for contender in order[number % len(order) :] + order[: number % len(order)]:
            label = f"round {number + 1}"
            print(f"{label}: {contender.name}", file=sys.stderr)  # noqa: T201
            try:
                await measure(contender, taking_part[contender], plan, results, label)
            except Exception as error:  # noqa: BLE001 - the others are measured all the same
                results.notes.append(f"{label}, {contender.name} failed: {error}")
    results.notes.append(f"{machine.note()}; the servers' own time is part of that")
    return results


def _label(count: int) -> str:
    return f"{count} call{'s' if count > 1 else ''}"


def _idle_label(count: int) -> str:
    return f"{_label(count)}, nobody speaks"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [contender.name for contender in CONTENDERS]
    parser.add_argument("--only", default=",".join(names), help="servers, comma-separated")
    parser.add_argument("--calls", default="1,5,10", help="numbers of calls, ascending")
    parser.add_argument("--idle", type=int, default=0, help="also this many that say nothing")
    parser.add_argument("--ramp", type=int, default=0, help="also how many of so many are held")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each is watched")
    parser.add_argument("--late-ms", type=float, default=LATE_MS, help="callers' own: void above")
    parser.add_argument("--peers", type=Path, default=CACHE, help="where others are installed")
    parser.add_argument("--install", action="store_true", help="install those that are not there")
    parser.add_argument("--silero", type=Path, help="silero_vad.onnx for the others")
    parser.add_argument("--config", type=Path, default=CONFIG, help="our server's settings (YAML)")
    parser.add_argument("--json", type=Path, help="write all samples to this file")
    given = parser.parse_args()
    wanted = given.only.split(",")
    contenders = [contender for contender in CONTENDERS if contender.name in wanted]
    limits = Limits(own_late_ms=given.late_ms)
    counts = tuple(sorted(int(count) for count in given.calls.split(",")))
    plan = Plan(counts, given.idle, given.ramp, given.seconds, limits)
    os.sched_setaffinity(0, {1})
    results = asyncio.run(run(contenders, given, plan))
    shown = [table.markdown() for table in results.tables() if table.to_json()["samples"]]
    print("\n\n".join([*shown, *results.notes]))  # noqa: T201
    if given.json:
        told = {"tables": [table.to_json() for table in results.tables()], "notes": results.notes}
        given.json.write_text(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
