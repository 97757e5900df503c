"""What the engines cost: how soon a transcript or a first token is there, CPU and memory.

    python -m benchmarks.engines [--only whisper|llama] [--sizes base,1b] [--quick] [--json FILE]

Models have the true architecture and format and RANDOM weights: they take the time of trained
ones and understand nothing. They are made within minutes and kept (`--models`, 3.6 GB).
Engines run as in the server, each in its own process behind its own socket. Ways that are
compared take turns, and are compared within each round.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from benchmarks import engines_llama, engines_whisper
from benchmarks.engine_processes import let_children_import_benchmarks
from benchmarks.figures import Machine
from benchmarks.rounds import Rounds
from inzwa_rtc import logging

PARTS = {"whisper": engines_whisper.SIZES, "llama": engines_llama.SIZES}
ROUNDS = {"whisper": 7, "llama": 3}


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line, understood. `native_python` has a compiled llama-cpp-python."""

    models: Path
    parts: dict[str, tuple[str, ...]]
    rounds: int | None
    native_python: str | None


async def run(asked: Asked) -> AsyncGenerator[Rounds, None]:
    """All tables asked for, as they are measured."""
    let_children_import_benchmarks()
    logging.configure(as_json=False, stream=sys.stderr)
    for part, sizes in asked.parts.items():
        rounds = asked.rounds or ROUNDS[part]
        for size in sizes:
            machine, before_s = Machine(), _children_s()
            if part == "whisper":
                tables = await engines_whisper.measure(asked.models, size, rounds)
            else:
                backends = engines_llama.backends(asked.native_python)
                tables = await engines_llama.measure(asked.models, size, rounds, backends)
            machine.count(_children_s() - before_s)
            tables[-1].notes.append(f"All of {part} {size}: {machine.note()}.")
            for table in tables:
                yield table


def _children_s() -> float:
    """CPU time of all child processes that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def understood(arguments: list[str] | None = None) -> tuple[Asked, Path | None]:
    """The command line, and where JSON is to be written."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=PARTS, help="one part")
    every = [size for sizes in PARTS.values() for size in sizes]
    parser.add_argument("--sizes", help=f"some of {','.join(every)}; 1.7b is never meant by itself")
    parser.add_argument("--rounds", type=int, help="how often each way takes its turn")
    parser.add_argument("--quick", action="store_true", help="one round of the smallest sizes")
    parser.add_argument("--models", type=Path, help="folder that keeps the models")
    parser.add_argument("--native-python", help="a Python with a compiled llama-cpp-python")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all samples")
    given = parser.parse_args(arguments)
    wanted = given.sizes.split(",") if given.sizes else None
    if unknown := set(wanted or ()) - {*every, *engines_llama.FURTHER_SIZES}:
        parser.error(f"there is no size {', '.join(sorted(unknown))}")
    parts = {}
    for part, sizes in PARTS.items():
        if given.only not in (None, part):
            continue
        if wanted is not None:
            known = (*sizes, *(engines_llama.FURTHER_SIZES if part == "llama" else ()))
            sizes = tuple(size for size in known if size in wanted)
        elif given.quick:
            sizes = sizes[:1]
        parts[part] = sizes
    rounds = 1 if given.quick and given.rounds is None else given.rounds
    folder = given.models or user_cache_path("inzwa-rtc") / "benchmarks"
    return Asked(folder, parts, rounds, given.native_python), given.json


async def main() -> None:
    """The command line."""
    asked, file = understood()
    tables = []
    async with aclosing(run(asked)) as measured:
        async for table in measured:
            print(f"{table.markdown()}\n", flush=True)  # noqa: T201
            tables.append(table.to_json())
    if file is not None:
        await asyncio.to_thread(file.write_text, json.dumps(tables, indent=2) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
