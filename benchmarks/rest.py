"""What the HTTP paths cost: how soon the first byte comes, how many requests for kept speech are
answered, and what memory a long text takes.

    python -m benchmarks.rest [--rounds N] [--seconds S] [--json]

A server of its own process with the embedded engines, as `inzwa-rtc serve` starts it, and its
client on the same machine, over loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import psutil

from benchmarks.figures import Figures, Machine
from benchmarks.server import Running, inzwa

KEPT = "Good morning, and welcome. What would you like to know?"
CLIENTS = 8
LONG = "The rains began early this year, and the rivers are full again. "
LONG_CHARS = 50_000
UNLIMITED = "access: {engine_requests_per_minute: 0, requests_per_minute: 0}\n"
_MIB = 2**20
_NUMBERS = itertools.count(1)


async def first_bytes(client: aiohttp.ClientSession, rounds: int, figures: Figures) -> None:
    """Of speech that is made and that was kept, and of a reply, in turns."""
    for _ in range(rounds):
        fresh = f"This is sentence number {next(_NUMBERS)}, which nobody has heard before."
        await _ask(client, figures, "tts, made", "/v1/tts", {"text": fresh})
        await _ask(client, figures, "tts, kept", "/v1/tts", {"text": KEPT})
        mp3 = {"model": "tts-1", "voice": "alloy", "input": fresh}
        await _ask(client, figures, "audio/speech, made, mp3", "/v1/audio/speech", mp3)
        question = {"messages": [{"role": "user", "content": "how are you"}], "stream": True}
        await _ask(client, figures, "chat", "/v1/chat", question)


async def _ask(
    client: aiohttp.ClientSession, figures: Figures, name: str, path: str, body: object
) -> None:
    began = time.perf_counter()
    async with client.post(path, json=body) as answer:
        answer.raise_for_status()
        await answer.content.readany()
        figures[f"{name}, first byte"].add((time.perf_counter() - began) * 1000)
        await answer.read()
    figures[f"{name}, whole"].add((time.perf_counter() - began) * 1000)


async def kept_per_second(client: aiohttp.ClientSession, seconds: float, figures: Figures) -> None:
    """Requests for kept speech by several clients, each asking again at once."""
    ends = time.perf_counter() + seconds
    answered = itertools.count()

    async def keep_asking() -> None:
        while time.perf_counter() < ends:
            async with client.post("/v1/tts", json={"text": KEPT}) as answer:
                answer.raise_for_status()
                await answer.read()
            next(answered)

    began = time.perf_counter()
    await asyncio.gather(*(keep_asking() for _ in range(CLIENTS)))
    rate = next(answered) / (time.perf_counter() - began)
    figures.in_unit("1/s", f"kept speech, {CLIENTS} clients").add(rate)


async def long_text(client: aiohttp.ClientSession, server: Running, figures: Figures) -> None:
    """How much the server and its speech engine grow while 50,000 characters stream."""
    text = (LONG * (LONG_CHARS // len(LONG) + 1))[:LONG_CHARS]
    processes = {"server": server.process, "speech engine": server.engines()["tts"]}
    async with client.post("/v1/tts", json={"text": text}) as answer:
        answer.raise_for_status()
        began, size = time.perf_counter(), len(await answer.content.readany())
        before = {name: _rss(process) for name, process in processes.items()}
        most = dict(before)
        async for piece in answer.content.iter_any():
            size += len(piece)
            most = {name: max(most[name], _rss(one)) for name, one in processes.items()}
    figures.in_unit("s", "50,000 characters").add(time.perf_counter() - began)
    figures.in_unit("MiB", "50,000 characters, sent").add(size / _MIB)
    for name in processes:
        figures.in_unit("MiB", f"50,000 characters, growth of the {name}").add(
            (most[name] - before[name]) / _MIB
        )


def _rss(process: psutil.Process) -> int:
    return int(process.memory_info().rss)


async def run(rounds: int, seconds: float) -> Figures:
    """All of it, with one server."""
    figures, machine = Figures(), Machine()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "inzwa.yaml"
        config.write_text(UNLIMITED, encoding="utf-8")
        async with inzwa(config) as server, aiohttp.ClientSession(server.url) as client:
            await first_bytes(client, 5, Figures())  # so that all is warm, and kept
            await first_bytes(client, rounds, figures)
            await kept_per_second(client, seconds, figures)
            await long_text(client, server, figures)
            machine.count(server.cpu_s())
    figures.notes.append(machine.note())
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = asyncio.run(run(arguments.rounds, arguments.seconds))
    sys.stdout.write(figures.show(arguments.json) + "\n")


if __name__ == "__main__":
    main()
