"""What live calls notice of a deploy: SIGTERM while all of them are spoken to.

    python -m benchmarks.deploy [--times 20] [--calls 6] [--json]

Each time a new server, whose callers ask, hear the answer through SIGTERM, ask again, hear
that answer and hang up. A gap is the time from a packet of sound to the next packet: 20 ms
on a machine without load. The same calls' gaps before SIGTERM tell what is the machine's doing.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import psutil
import yaml

from benchmarks import server
from benchmarks.caller import WebRtcCaller, calling
from benchmarks.figures import Figures, Machine
from benchmarks.mouth import Phrase, phrase

LONG, SHORT = "are you human", "what is seven times eight"
DRAIN_S = 120
BEFORE_S = 5.0  # about as long as the rest of a call takes
GAP_MS = 60.0


async def measure(said: list[Phrase], calls: int, config: Path, figures: Figures) -> float:
    """One server's end; returns the CPU time that it took."""
    async with (
        server.inzwa(config) as running,
        aiohttp.ClientSession() as http,
        AsyncExitStack() as open_calls,
    ):
        children = running.children()
        callers = []
        for _ in range(calls):
            caller = WebRtcCaller(http, running.url, decodes=False)
            await open_calls.enter_async_context(calling(caller))
            callers.append(caller)
        try:
            await asyncio.gather(*(_until_spoken_to(caller, said[0]) for caller in callers))
        except TimeoutError:
            figures.count("servers left out: a question before SIGTERM was not answered")
            return running.cpu_s()
        for caller in callers:
            figures["longest gap of a call, before SIGTERM"].add(
                _longest_ms(caller, _now() - BEFORE_S)
            )
        cpu_s = running.cpu_s()
        began = _now()
        running.process.terminate()
        refusing = asyncio.create_task(_until_refusing(http, running.url))
        answered = await asyncio.gather(*(_finish(caller, said[1], began) for caller in callers))
        figures["SIGTERM to /readyz 503"].add((await refusing - began) * 1000)
        for caller, is_answered in zip(callers, answered, strict=True):
            gap_ms = _longest_ms(caller, began)
            figures["longest gap of a call, from SIGTERM on"].add(gap_ms)
            if gap_ms > GAP_MS:
                figures.count(f"calls with a gap over {GAP_MS:.0f} ms from SIGTERM on")
            if not is_answered:
                figures.count("answers lost")
        await open_calls.aclose()
        left_at = _now()
        await _until_gone(running.process)
        figures["last call's end to the server's"].add((_now() - left_at) * 1000)
        figures.in_unit("processes", "left behind").add(sum(c.is_running() for c in children))
    return cpu_s


async def _until_spoken_to(caller: WebRtcCaller, question: Phrase) -> None:
    await caller.ear.event("tts.end")  # of the greeting
    await asyncio.sleep(random.uniform(0.0, 1.0))
    spoken = caller.mouth.speak(question)
    await spoken.sent()
    await caller.ear.event("tts.start", spoken.first_at)


async def _finish(caller: WebRtcCaller, question: Phrase, began: float) -> bool:
    """Hear the answer, ask again, hear that one; whether both came."""
    try:
        await caller.ear.event("tts.end", began)
        spoken = caller.mouth.speak(question)
        await spoken.sent()
        await caller.ear.event("tts.end", spoken.last_at)
    except TimeoutError:
        return False
    return True


def _longest_ms(caller: WebRtcCaller, since: float) -> float:
    return 1000 * max(caller.ear.waits_s(since), default=0.0)


async def _until_refusing(http: aiohttp.ClientSession, url: str) -> float:
    """When `/readyz` first said 503."""
    while True:
        async with http.get(f"{url}/readyz") as response:
            if response.status == 503:
                return _now()
        await asyncio.sleep(0.005)


async def _until_gone(process: psutil.Process) -> None:
    while True:
        if not process.is_running():
            return
        await asyncio.sleep(0.01)


async def run(times: int, calls: int) -> Figures:
    """All servers, one after another."""
    said = [await phrase(text) for text in (LONG, SHORT)]
    figures, machine = Figures(), Machine()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "inzwa.yaml"
        config.write_text(yaml.safe_dump({"timeouts": {"drain": DRAIN_S}}))
        for _ in range(times):
            machine.count(await measure(said, calls, config, figures))
    figures.notes.append(f"{machine.note()}, the servers' last seconds included")
    return figures


def _now() -> float:
    return asyncio.get_running_loop().time()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=20, help="servers to be ended")
    parser.add_argument("--calls", type=int, default=6, help="calls to each")
    parser.add_argument("--json", action="store_true", help="JSON, with all samples")
    given = parser.parse_args()
    print(asyncio.run(run(given.times, given.calls)).show(given.json))  # noqa: T201


if __name__ == "__main__":
    main()
