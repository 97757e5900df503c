"""How soon an engine is back after a crash or a hang.

    python -m benchmarks.restart [--times 10] [--json]

Each engine in turn is killed (SIGKILL) and stopped (SIGSTOP), `--times` each; measured from
the signal until `/readyz` says that it was started again and serves. A call is up all the
time, and must be answered in the end.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
from typing import Any

import aiohttp

from benchmarks import server
from benchmarks.caller import WebRtcCaller, calling
from benchmarks.figures import Figures, Machine
from benchmarks.mouth import phrase

QUESTION = "what is seven times eight"
KINDS = ("asr", "llm", "tts")
SIGNALS = (signal.SIGKILL, signal.SIGSTOP)
STEADY_S = (1.5, 2.5)  # an engine that had just been started again would be held to be broken
PATIENCE_S = 60.0


async def run(times: int) -> Figures:
    """One server, one call, all the signals."""
    question = await phrase(QUESTION)
    figures = Figures()
    async with server.inzwa() as running, aiohttp.ClientSession() as http:
        machine = Machine()
        caller = WebRtcCaller(http, running.url)
        async with calling(caller):
            await caller.ear.event("tts.end")
            for _ in range(times):
                for kind in KINDS:
                    for sent in SIGNALS:
                        await asyncio.sleep(random.uniform(*STEADY_S))
                        await _break(running, http, kind, sent, figures)
            await caller.ear.silence(0.7)
            spoken = caller.mouth.speak(question)
            await spoken.sent()
            final = await caller.ear.event("asr.final", spoken.first_at)
            await caller.ear.audible(spoken.last_at)
            figures.notes.append(f"the call was answered in the end: {final.event['text']!r}")
        machine.count(running.cpu_s())
    figures.notes.append(f"{machine.note()}, the engines that were ended included")
    return figures


async def _break(
    running: server.Running,
    http: aiohttp.ClientSession,
    kind: str,
    sent: signal.Signals,
    figures: Figures,
) -> None:
    restarts = (await _status(http, running.url, kind))["restarts"]
    began = _now()
    running.engines()[kind].send_signal(sent)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            status = await _status(http, running.url, kind)
            if status["restarts"] > restarts and status["state"] == "ready":
                break
            await asyncio.sleep(0.01)
    figures[f"{sent.name}, {kind} back"].add((_now() - began) * 1000)


async def _status(http: aiohttp.ClientSession, url: str, kind: str) -> dict[str, Any]:
    async with http.get(f"{url}/readyz") as response:
        status: dict[str, Any] = (await response.json())["engines"][kind]
        return status


def _now() -> float:
    return asyncio.get_running_loop().time()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=10, help="signals of a kind to each engine")
    parser.add_argument("--json", action="store_true", help="JSON, with all samples")
    given = parser.parse_args()
    print(asyncio.run(run(given.times)).show(given.json))  # noqa: T201


if __name__ == "__main__":
    main()
