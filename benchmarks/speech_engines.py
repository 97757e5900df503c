"""How soon each speech engine is heard, how fast it is, what it takes and how soon it stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.engine_processes import all_running, cpu_ms, engine, memory, settled
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
    """An engine to be measured: `make` gives its options once a model lies in the folder.

    `first_ms` and `whole_ms` are the targets, None where there is none. `requires` is the module
    that must be installed, `note` is printed.
    """

    name: str
    make: Callable[[Path], Mapping[str, Any]]
    row: str = ""
    first_ms: float | None = None
    whole_ms: float | None = None
    requires: str = "inzwa_rtc"
    note: str = ""
    text: str = SENTENCE
    language: str = "en"
    options: Mapping[str, Any] = field(default_factory=dict)


async def measure(folder: Path, subjects: Sequence[Subject], rounds: int) -> Rounds:
    """All of them with one sentence, in turn."""
    table = Rounds("Speech engines, one caller, a sentence of ten words", _QUANTITIES)
    running: dict[str, tuple[Subject, EngineProcess]] = {}
    for subject in subjects:
        options = await asyncio.to_thread(subject.make, folder)
        row = subject.row or subject.name
        running[row] = (subject, engine("tts", subject.name, {**options, **subject.options}))
        for quantity, target in (
            ("first audio", subject.first_ms),
            ("whole sentence", subject.whole_ms),
        ):
            if target is not None:
                table.aim(row, quantity, target)
        if subject.note:
            table.notes.append(f"{row}: {subject.note}")
    async with all_running(process for _, process in running.values()):
        for number in range(rounds + 1):
            for row, (subject, process) in running.items():
                await settled()
                told = await _spoken(process, subject)
                told["stopped after"] = await _stopped(process, subject, told["first audio"])
                if number:  # the first one warms up
                    table.add(row, told)
        kept = (f"{row} {memory(process).resident:.0f}" for row, (_, process) in running.items())
        table.notes.append(f"Resident memory, MiB: {', '.join(kept)}.")
    return table


async def _spoken(process: EngineProcess, subject: Subject) -> dict[str, float]:
    """One sentence, from the request to its last sample."""
    client = SynthesizerClient(process)
    cpu, began, first, size = cpu_ms(process), _now(), 0.0, 0
    request = SpeechRequest(subject.text, language=subject.language)
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


async def _stopped(process: EngineProcess, subject: Subject, alone_ms: float) -> float:
    """How much later the next request is heard if it follows one that was closed at its first
    sound than if it comes alone: what the closed one went on for."""
    client = SynthesizerClient(process)
    request = SpeechRequest(subject.text, language=subject.language)
    async with aclosing(client.synthesize(request)) as chunks:
        await anext(chunks)
    began = _now()
    async with aclosing(client.synthesize(request)) as chunks:
        await anext(chunks)
    return max(0.0, (_now() - began) * 1000 - alone_ms)


def _now() -> float:
    return asyncio.get_running_loop().time()
