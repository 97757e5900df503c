"""VITS voices: how soon the first sound and the whole sentence are there, and how soon it stops.

    python -m benchmarks.engines_vits FOLDER [--rounds N]

FOLDER has what `benchmarks.random_vits` made: true architectures, RANDOM weights. Engines run as
in the server, each in its own process behind its own socket; two threads each.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import threading
import time
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

from benchmarks.engine_processes import all_running, engine, memory, settled
from benchmarks.figures import Machine
from benchmarks.rounds import Rounds
from inzwa_rtc import logging
from inzwa_rtc.engines.client import SynthesizerClient
from inzwa_rtc.engines.contracts import SpeechRequest
from inzwa_rtc.engines.hardware import Device
from inzwa_rtc.engines.process import EngineProcess
from inzwa_rtc.engines.tts.vits.files import onnx_in
from inzwa_rtc.engines.tts.vits.model import Manner, VitsModel
from inzwa_rtc.engines.tts.vits.runtime import Stop, Stopped

TEXT = "the morning bus to the market leaves at seven today"
"""Ten words."""

# Chance makes the durations of random weights; these make a sentence of 3 s of them.
WAYS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "Piper medium, 22.05 kHz": ("piper", "piper-medium/voice.onnx", {"length_scale": 1.4}),
    "MMS, 16 kHz": ("vits", "mms", {"length_scale": 0.6}),
}
TARGETS = {"first audio": 200, "whole": 500}
_REQUEST = SpeechRequest(TEXT)
_IDS = [number % 25 + 1 for number in range(120)]  # the symbols of such a sentence
_AT_MOST_S = 0.3  # a cancel comes while it is still decoded


async def measure(folder: Path, rounds: int) -> Rounds:
    """All ways in turn."""
    table = Rounds(
        f"VITS: a sentence of {len(TEXT.split())} words",
        {
            "first audio": "ms",
            "whole": "ms",
            "sound": "s",
            "real-time factor": "",
            "cancel": "ms",
            "memory at rest": "MiB",
            "memory at last": "MiB",
        },
    )
    for way in WAYS:
        for quantity, target in TARGETS.items():
            table.aim(way, quantity, target)
    running = {
        way: engine(
            "tts",
            name,
            {"model": str(folder / model), "device": "cpu", "threads": 2, **options},
        )
        for way, (name, model, options) in WAYS.items()
    }
    models = {
        way: VitsModel(onnx_in(folder / model), Device("cpu"), 2)
        for way, (_, model, _) in WAYS.items()
    }
    machine = Machine()
    async with all_running(running.values()):
        for way, process in running.items():
            table.add(way, {"memory at rest": memory(process).resident})
            await _spoken(process)  # the first one allocates
        for _ in range(rounds):
            for way, process in running.items():
                await settled()
                table.add(way, await _spoken(process))
                await settled()
                table.add(way, {"cancel": await asyncio.to_thread(_cancelled, models[way])})
        for way, process in running.items():
            table.add(way, {"memory at last": memory(process).resident})
    table.notes.append(machine.note())
    return table


async def _spoken(process: EngineProcess) -> dict[str, float]:
    client = SynthesizerClient(process)
    begun, first, samples = time.perf_counter(), 0.0, 0
    async with aclosing(client.synthesize(_REQUEST)) as chunks:
        async for chunk in chunks:
            first = first or time.perf_counter() - begun
            samples += len(chunk.pcm) // 2
    took, sound_s = time.perf_counter() - begun, samples / client.sample_rate
    return {
        "first audio": 1000 * first,
        "whole": 1000 * took,
        "sound": sound_s,
        "real-time factor": took / sound_s,
    }


def _cancelled(model: VitsModel) -> float:
    """From a cancel, at some moment of a decoding, until its thread is free. In this process."""
    encoded = model.encode(_IDS, Manner(0.6, 2.0, 0.6), Stop())
    stop, ended = Stop(), 0.0

    def decode() -> None:
        nonlocal ended
        with suppress(Stopped):
            for _ in model.sound(encoded, 16_000, stop):
                pass
        ended = time.perf_counter()

    thread = threading.Thread(target=decode)
    thread.start()
    time.sleep(random.uniform(0, _AT_MOST_S))
    stopped = time.perf_counter()
    stop.set()
    thread.join()
    return max(0.0, 1000 * (ended - stopped))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    logging.configure(as_json=False, stream=sys.stderr)
    print(asyncio.run(measure(asked.folder, asked.rounds)).markdown())  # noqa: T201


if __name__ == "__main__":
    main()
