"""How soon each speech engine is heard, how fast it is, what it takes and how soon it stops."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.engine_processes import all_running, cpu_ms, engine, memory, own_engine, settled
from benchmarks.rounds import Rounds
from inzwa_rtc.engines.client import SynthesizerClient
from inzwa_rtc.engines.contracts import SpeechRequest
from inzwa_rtc.engines.process import EngineProcess

SENTENCE = "The river listens and the wind answers it very slowly."
"""Ten words."""

_QUANTITIES = {
    "first audio": "ms",
    "whole sentence": "ms",
    "audio made": "ms",
    "real-time factor": "x",
    "CPU": "ms",
    "stopped after": "ms",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """An engine to be measured, as `name` or, if it is the benchmarks' own, at `place`.

    `model` is the path of its model in the folder of models, None if it needs none. `first_ms`
    and `whole_ms` are the targets, None where there is none. `requires` is the module that must
    be installed, `note` is printed.
    """

    name: str
    options: Mapping[str, Any]
    model: str | None = None
    place: str | None = None
    row: str = ""
    first_ms: float | None = None
    whole_ms: float | None = None
    requires: str = "inzwa_rtc"
    note: str = ""

    def is_in(self, folder: Path) -> bool:
        """Whether the model is there."""
        return self.model is None or (folder / self.model).exists()

    def process(self, folder: Path) -> EngineProcess:
        """The engine, to be started."""
        options = dict(self.options)
        if self.model is not None:
            options["model"] = str(folder / self.model)
        if self.place is not None:
            return own_engine("tts", self.name, self.place, options)
        return engine("tts", self.name, options)


async def measure(
    folder: Path, subjects: Sequence[Subject], rounds: int, *, baseline: str
) -> Rounds:
    """All of them with one sentence, in turn."""
    rows = {subject.row or subject.name: subject for subject in subjects}
    has_baseline = baseline in rows
    table = Rounds(
        "Speech engines, one caller, a sentence of ten words",
        _QUANTITIES,
        baseline=baseline if has_baseline else "",
        compared=("first audio", "whole sentence") if has_baseline else (),
    )
    for row, subject in rows.items():
        if subject.first_ms is not None:
            table.aim(row, "first audio", subject.first_ms)
        if subject.whole_ms is not None:
            table.aim(row, "whole sentence", subject.whole_ms)
        if subject.note:
            table.notes.append(f"{row}: {subject.note}.")
    running = {row: subject.process(folder) for row, subject in rows.items()}
    async with all_running(running.values()):
        for number in range(rounds + 1):
            for row, process in running.items():
                await settled()
                told = await _spoken(process)
                told["stopped after"] = await _stopped(process, told["first audio"])
                if number:  # the first one warms up
                    table.add(row, told)
        kept = (f"{row} {memory(process).resident:.0f}" for row, process in running.items())
        table.notes.append(f"Resident memory, MiB: {', '.join(kept)}.")
    return table


async def _spoken(process: EngineProcess) -> dict[str, float]:
    """One sentence, from the request to its last sample."""
    client = SynthesizerClient(process)
    cpu, began, first, size = cpu_ms(process), _now(), 0.0, 0
    request = SpeechRequest(SENTENCE)
    async with aclosing(client.synthesize(request)) as chunks:
        async for chunk in chunks:
            first = first or _now()
            size += len(chunk.pcm) // 2
    whole_ms = (_now() - began) * 1000
    audio_ms = size * 1000 / client.sample_rate
    return {
        "first audio": (first - began) * 1000,
        "whole sentence": whole_ms,
        "audio made": audio_ms,
        "real-time factor": whole_ms / audio_ms,
        "CPU": cpu_ms(process) - cpu,
    }


async def _stopped(process: EngineProcess, alone_ms: float) -> float:
    """How much later the next request is heard if it follows one that was closed at its first
    sound than if it comes alone: what the closed one went on for."""
    client = SynthesizerClient(process)
    request = SpeechRequest(SENTENCE)
    async with aclosing(client.synthesize(request)) as chunks:
        await anext(chunks)
    began = _now()
    async with aclosing(client.synthesize(request)) as chunks:
        await anext(chunks)
    return max(0.0, (_now() - began) * 1000 - alone_ms)


def _now() -> float:
    return asyncio.get_running_loop().time()
