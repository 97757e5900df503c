"""What calls cost: our server beside others, under the same load, on one processor.

    python -m benchmarks.media --install --json media.json       # some 35 minutes
    python -m benchmarks.media --only inzwa,pipecat --rounds 1 --ramp 0   # a look

Each round takes all servers in turn, in another order each time, and times once what no server
can leave out (`benchmarks.floor`). A server runs on one processor, the callers on another. All
have the same speech, Silero at the same threshold, 200 ms of endpointing silence, and engines that
cost nothing. A run in which the callers themselves were late is void; it is told, and repeated.
docs/benchmarks.md says what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.comparison import Comparison, active, silent
from benchmarks.contenders import (
    CACHE,
    CONFIG,
    CONTENDERS,
    Contender,
    NotInstalled,
    detectors,
    find_silero,
    install_silero,
)
from benchmarks.figures import Machine
from benchmarks.floor import DUTIES, SUMS
from benchmarks.visit import CORE, TRIES, Plan, Visit
from inzwa_rtc.bench.clock import LATE_MS
from inzwa_rtc.bench.ramp import Limits

_CALLERS_CORE = 1
_FLOOR_ROUNDS = 3
_TALKING, _, _IDLE, _ = DUTIES


async def floor(plan: Plan) -> dict[str, float]:
    """Milliseconds of CPU time for a second of a call, on the servers' processor, by the names
    of the levels."""
    counts = sorted({*plan.counts, *([plan.idle] if plan.idle else [])})
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "floor.json"
        command = [
            *(sys.executable, "-m", "benchmarks.floor", "--core", str(CORE)),
            *("--calls", ",".join(map(str, counts)), "--rounds", str(_FLOOR_ROUNDS)),
            *("--json", str(file)),
        ]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
        if await process.wait():
            raise RuntimeError(f"benchmarks.floor ended with code {process.returncode}")
        tables = json.loads(file.read_text(encoding="utf-8"))
    sums = next(table["samples"] for table in tables if table["title"] == SUMS)
    found = {active(count): sums[_TALKING.name][f"{count} calls"][0] for count in plan.counts}
    if plan.idle:
        found[silent(plan.idle)] = sums[_IDLE.name][f"{plan.idle} calls"][0]
    return found


async def run(contenders: Sequence[Contender], given: argparse.Namespace, plan: Plan) -> Comparison:
    """All rounds."""
    machine, found = Machine(), Comparison(plan.counts, plan.idle)
    commands = _commands(contenders, given, found)
    found.notes += detectors(given.peers)
    for number in range(1, given.rounds + 1):
        _tell(f"round {number}: the floor")
        found.add_floor(number, await floor(plan))
        turn = (number - 1) % max(1, len(commands))
        order = list(commands)
        for contender in order[turn:] + order[:turn]:
            _tell(f"round {number}: {contender.name}")
            await _visit(Visit(contender, number, plan, found), commands[contender])
    # Those that have ended are all the servers, with all their processes, and the floor.
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    machine.count(ended.ru_utime + ended.ru_stime)
    found.notes.append(machine.note())
    return found


def _commands(
    contenders: Sequence[Contender], given: argparse.Namespace, found: Comparison
) -> dict[Contender, list[str]]:
    """How each is started that takes part; the others are told."""
    commands = {}
    for contender in contenders:
        try:
            if given.install and contender.module:
                install_silero(given.peers)
                contender.install(given.peers)
            silero = find_silero(given.peers)
            commands[contender] = contender.command(given.peers, given.config, silero)
        except NotInstalled as error:
            found.notes.append(f"{contender.name} is left out: {error}")
    return commands


async def _visit(visit: Visit, command: list[str]) -> None:
    for _ in range(TRIES - 1):
        try:
            await visit.pay(command)
        except Exception as error:  # noqa: BLE001 - the others are measured all the same
            who = f"round {visit.number}, {visit.contender.name}"
            visit.comparison.notes.append(f"{who} failed: {type(error).__name__}: {error}")
        else:
            return


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)  # noqa: T201


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [contender.name for contender in CONTENDERS]
    parser.add_argument("--only", default=",".join(names), help="servers, comma-separated")
    parser.add_argument("--calls", default="1,5,10", help="numbers of calls, ascending")
    parser.add_argument("--idle", type=int, default=5, help="also this many that say nothing")
    parser.add_argument("--ramp", type=int, default=120, help="how many of so many are held; 0: no")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each is watched")
    parser.add_argument("--late-ms", type=float, default=LATE_MS, help="callers' own: void above")
    parser.add_argument("--peers", type=Path, default=CACHE, help="where others are installed")
    parser.add_argument("--install", action="store_true", help="install those that are not there")
    parser.add_argument("--config", type=Path, default=CONFIG, help="our server's settings (YAML)")
    parser.add_argument("--json", type=Path, help="write all samples to this file")
    given = parser.parse_args()
    wanted = given.only.split(",")
    contenders = [contender for contender in CONTENDERS if contender.name in wanted]
    counts = tuple(sorted(int(count) for count in given.calls.split(",")))
    limits = Limits(own_late_ms=given.late_ms)
    plan = Plan(counts, given.idle, given.ramp, given.seconds, limits)
    os.sched_setaffinity(0, {_CALLERS_CORE})
    found = asyncio.run(run(contenders, given, plan))
    shown = [table.markdown() for table in found.tables() if table.to_json()["samples"]]
    print("\n\n".join([found.goals(), *shown, "\n".join(found.notes)]))  # noqa: T201
    if given.json:
        given.json.write_text(json.dumps(found.to_json(), indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
