"""What speech costs: how soon it is heard, how fast it is made, what the layers around it add.

    python -m benchmarks.speech [--only engines|text] [--quick] [--json FILE]

Voices of VITS and Kokoro are those that `benchmarks.random_vits` and `benchmarks.random_kokoro`
made in the folder of models (`vits/` and `kokoro/` in it), where they did: true architectures and
formats, RANDOM weights, which take the time of trained ones and speak no language. Engines run as
in the server, each in its own process behind its own socket. Ways that are compared take turns,
and are compared within each round. Kept phrases and engines on servers have benchmarks of their
own: `benchmarks.phrase_cache`, `benchmarks.remote_speech`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from importlib.util import find_spec
from pathlib import Path

from platformdirs import user_cache_path

from benchmarks import speech_engines, speech_text
from benchmarks.engine_processes import let_children_import_benchmarks
from benchmarks.figures import Machine
from benchmarks.rounds import Rounds
from benchmarks.speech_engines import Subject
from inzwa_rtc import logging

PARTS = ("engines", "text")
_PIPER = "vits/piper-medium/voice.onnx"
_STOCK = "piper-tts by itself"
_AS_TRAINED = "random weights of true architecture"

# Chance makes the durations of random weights; these paces make a sentence of 3 s of them.
ENGINES = (
    Subject("espeak", options={}, first_ms=10, whole_ms=500),
    Subject(
        "piper",
        model=_PIPER,
        options={"length_scale": 1.4, "threads": 2},
        row="piper, medium",
        first_ms=200,
        whole_ms=500,
        requires="piper",
        note=_AS_TRAINED,
    ),
    Subject(
        "stock-piper",
        place="benchmarks.stock_piper:StockPiper",
        model=_PIPER,
        options={"length_scale": 1.4},
        row=_STOCK,
        requires="piper",
        note=f"{_AS_TRAINED}; the same file, its own way",
    ),
    Subject(
        "vits",
        model="vits/mms",
        options={"length_scale": 0.6, "threads": 2},
        row="vits, MMS",
        first_ms=200,
        whole_ms=500,
        requires="onnx",
        note=_AS_TRAINED,
    ),
    Subject(
        "kokoro",
        model="kokoro/kokoro.onnx",
        options={"threads": 2},
        row="kokoro, 82M",
        requires="onnx",
        note=_AS_TRAINED,
    ),
)


async def run(parts: list[str], folder: Path, rounds: int) -> AsyncGenerator[Rounds, None]:
    """All tables asked for, as they are measured."""
    let_children_import_benchmarks()
    logging.configure(as_json=False, stream=sys.stderr)
    if "engines" in parts:
        machine, before_s = Machine(), _children_s()
        there = [one for one in ENGINES if find_spec(one.requires) and one.is_in(folder)]
        table = await speech_engines.measure(folder, there, rounds, baseline=_STOCK)
        machine.count(_children_s() - before_s)
        table.notes.append(f"All of it: {machine.note()}.")
        yield table
    if "text" in parts:
        yield await asyncio.to_thread(speech_text.normalised, rounds)
        yield await speech_text.long_text()


def _children_s() -> float:
    """CPU time of all child processes that have ended."""
    times = os.times()
    return times.children_user + times.children_system


async def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=PARTS, help="one part")
    parser.add_argument("--rounds", type=int, default=9, help="how often each way takes its turn")
    parser.add_argument("--quick", action="store_true", help="one round")
    parser.add_argument("--models", type=Path, help="folder that keeps the models")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all samples")
    given = parser.parse_args()
    folder = given.models or user_cache_path("inzwa-rtc") / "benchmarks"
    parts = [given.only] if given.only else list(PARTS)
    tables = []
    async with aclosing(run(parts, folder, 1 if given.quick else given.rounds)) as measured:
        async for table in measured:
            print(f"{table.markdown()}\n", flush=True)  # noqa: T201
            tables.append(table.to_json())
    if given.json is not None:
        await asyncio.to_thread(given.json.write_text, json.dumps(tables, indent=2) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
