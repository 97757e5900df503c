"""What a server takes of the machine: memory at rest and per call, CPU per call-second.

    python -m benchmarks.load [--calls 1,5,10,20] [--seconds 20] [--json]

Each of N callers asks, listens to the whole answer, pauses, and asks again, so a
call is a conversation with one side speaking at a time. The callers share the
machine with the server; what they take is in the table too.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import psutil

from benchmarks import server
from benchmarks.caller import WebRtcCaller, calling
from benchmarks.figures import Figures, Machine
from benchmarks.mouth import Phrase, phrase

SETTLE_S = 5.0
PAUSE_S = 0.5
GAP_S = 0.06
QUESTIONS = ("what is seven times eight", "what can you do", "tell me a joke", "are you human")
_MIB = 1024 * 1024


async def measure(counts: list[int], seconds: int, config: Path | None) -> Figures:
    """All counts of calls, one after another, on the same server."""
    phrases = [await phrase(text) for text in QUESTIONS]
    figures = Figures()
    async with server.inzwa(config) as running:
        machine = Machine()
        began_s = running.cpu_s()
        await asyncio.sleep(SETTLE_S)
        idle = _memory(running)
        for name, size in idle.items():
            figures.in_unit("MiB", f"at rest: memory, {name}").add(size)
        for count in counts:
            await _level(count, seconds, running, phrases, idle, figures)
            await asyncio.sleep(SETTLE_S)
        for name, size in _memory(running).items():
            figures.in_unit("MiB", f"at rest again: memory, {name}").add(size)
        machine.count(running.cpu_s() - began_s)
    figures.notes.append(machine.note())
    return figures


async def _level(
    count: int,
    seconds: int,
    running: server.Running,
    phrases: list[Phrase],
    idle: dict[str, float],
    figures: Figures,
) -> None:
    label = f"{count} call{'s' if count > 1 else ''}"
    async with aiohttp.ClientSession() as http, AsyncExitStack() as open_calls:
        callers = []
        for _ in range(count):
            caller = WebRtcCaller(http, running.url, decodes=False)
            await open_calls.enter_async_context(calling(caller))
            callers.append(caller)
        async with asyncio.TaskGroup() as tasks:
            talking = [tasks.create_task(_talk(caller, phrases)) for caller in callers]
            await asyncio.sleep(SETTLE_S)
            since = asyncio.get_running_loop().time()
            await _watch(label, count, seconds, running, idle, figures)
            for task in talking:
                task.cancel()
        for caller in callers:
            _note_course(caller, since, label, figures)


async def _talk(caller: WebRtcCaller, phrases: list[Phrase]) -> None:
    loop = asyncio.get_running_loop()
    await caller.ear.event("tts.end")
    while True:
        await asyncio.sleep(PAUSE_S * random.uniform(0.5, 1.5))
        spoken = caller.mouth.speak(random.choice(phrases))
        await spoken.sent()
        # Unanswered once in a while under overload: asked again, and counted by the answers.
        try:
            async with asyncio.timeout(30.0):
                await caller.ear.event("tts.end", loop.time())
        except TimeoutError:
            continue


async def _watch(
    label: str,
    count: int,
    seconds: int,
    running: server.Running,
    idle: dict[str, float],
    figures: Figures,
) -> None:
    """One sample a second."""
    for _ in range(seconds):
        began, before, own = time.monotonic(), _cpu(running), time.process_time()
        await asyncio.sleep(1.0)
        length = time.monotonic() - began
        for name, after_s in _cpu(running).items():
            cpu_ms = (after_s - before.get(name, after_s)) * 1000 / length
            figures.in_unit("ms/s", f"{label}: CPU per call-second, {name}").add(cpu_ms / count)
        own_ms = (time.process_time() - own) * 1000 / length
        figures.in_unit("ms/s", f"{label}: CPU of all callers").add(own_ms)
        for name, size in _memory(running).items():
            added = (size - idle.get(name, size)) / count
            figures.in_unit("MiB", f"{label}: memory added per call, {name}").add(added)


def _note_course(caller: WebRtcCaller, since: float, label: str, figures: Figures) -> None:
    """How well the call went meanwhile, as the server and the packets tell."""
    for told in caller.ear.told:
        if told.at >= since and told.event["type"] == "turn.metrics":
            event = told.event
            response = event["first_audio_ms"] - event["silence_ms"]
            figures[f"{label}: turn's end to first audio leaving"].add(response)
    waits = caller.ear.waits_s(since)
    if not waits:
        figures.count(f"{label}: heard nothing")
        return
    gaps = sum(wait > GAP_S for wait in waits)
    figures.in_unit("/min", f"{label}: gaps over {GAP_S * 1000:.0f} ms per minute of sound").add(
        gaps / (sum(waits) / 60)
    )


def _memory(running: server.Running) -> dict[str, float]:
    """Resident memory in MiB."""
    sizes = {name: p.memory_info().rss / _MIB for name, p in _processes(running).items()}
    return {**sizes, "all": sum(sizes.values())}


def _cpu(running: server.Running) -> dict[str, float]:
    return {name: server.cpu_s(process) for name, process in _processes(running).items()}


def _processes(running: server.Running) -> dict[str, psutil.Process]:
    return {"main": running.process, **running.engines()}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", default="1,5,10,20", help="counts of calls, comma-separated")
    parser.add_argument("--seconds", type=int, default=20, help="how long each is watched")
    parser.add_argument("--config", type=Path, help="the server's settings (YAML)")
    parser.add_argument("--json", action="store_true", help="JSON, with all samples")
    given = parser.parse_args()
    counts = [int(count) for count in given.calls.split(",")]
    figures = asyncio.run(measure(counts, given.seconds, given.config))
    print(figures.show(given.json))  # noqa: T201


if __name__ == "__main__":
    main()
