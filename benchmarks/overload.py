"""What becomes of live calls, and of those who call, when twice as many call as there is room for.

    python -m benchmarks.overload [--calls 20] [--seconds 20]

The server has engines that cost nothing and takes `--calls` calls, on one processor; the callers
are on another. They call one after the other until as many as that were taken; as many again call
while those talk and are watched. A run in which the callers themselves were late is void.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import numpy as np
from aiortc import RTCPeerConnection

from benchmarks import server
from benchmarks.figures import Machine
from inzwa_rtc.bench.clock import LATE_MS
from inzwa_rtc.bench.course import Course
from inzwa_rtc.bench.door import INZWA, Refused
from inzwa_rtc.bench.fleet import Fleet, Watched
from inzwa_rtc.bench.utterance import utterance

CONFIG = Path(__file__).with_name("stub.yaml")
SETTLE_S = 3.0
MOST_REFUSAL_MS = 200.0
MOST_LATE_MS = 40.0


@dataclass(slots=True)
class Knocks:
    """What those were answered who called beyond the limit: how many by which code, and after how
    many milliseconds those that were refused with a time to come again."""

    codes: Counter[str] = field(default_factory=Counter)
    refused_ms: list[float] = field(default_factory=list)

    async def knock(self, http: aiohttp.ClientSession, url: str, offer: str) -> None:
        """Call once."""
        body = {"sdp": offer, "type": "offer"}
        began = time.monotonic()
        async with http.post(f"{url}{INZWA.path}", json=body) as response:
            told = await response.json()
            took_ms = (time.monotonic() - began) * 1000
        self.codes["taken" if response.status < 300 else str(told.get("code"))] += 1
        if response.status == 503 and "Retry-After" in response.headers:
            self.refused_ms.append(took_ms)


async def measure(calls: int, seconds: float) -> tuple[Watched, Knocks, int]:
    """The calls that were taken, the others, and how many were refused before there were so many
    (for the load)."""
    inzwa = str(Path(sys.executable).with_name("inzwa-rtc"))
    command = [inzwa, "serve", f"--config={CONFIG}", f"--set=max_concurrent_sessions={calls}"]
    course = Course(utterance("request"), utterance("question"))
    async with server.started(command, core=0) as running:
        fleet = Fleet(running.url, INZWA, course)
        async with fleet.up():
            refused = await _fill(fleet, calls)
            await fleet.settle(SETTLE_S)
            knocks = Knocks()
            async with asyncio.TaskGroup() as both:
                watching = both.create_task(fleet.watch(seconds))
                both.create_task(_besiege(knocks, running.url, calls, seconds))
            return watching.result(), knocks, refused


async def _fill(fleet: Fleet, calls: int) -> int:
    """Call until so many were taken, but no more than twice as often."""
    refused = 0
    while fleet.calls < calls and refused < calls:
        try:
            await fleet.grow(fleet.calls + 1)
        except Refused:
            refused += 1
    return refused


async def _besiege(knocks: Knocks, url: str, times: int, seconds: float) -> None:
    """So many calls, evenly over the time that is watched."""
    pc = RTCPeerConnection()
    pc.addTransceiver("audio")
    await pc.setLocalDescription(await pc.createOffer())
    offer = pc.localDescription.sdp
    await pc.close()
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as all_of_them:
        for _ in range(times):
            await asyncio.sleep(seconds / times)
            all_of_them.create_task(knocks.knock(http, url, offer))


def told(calls: int, seen: Watched, knocks: Knocks, refused: int) -> list[str]:
    """What was found, with the goals beside it."""
    refusal_ms = float(np.percentile(knocks.refused_ms, 95)) if knocks.refused_ms else np.inf
    codes = ", ".join(f"{code} {count}" for code, count in sorted(knocks.codes.items()))
    lines = [
        f"room for {calls}, asked for by {2 * calls}",
        f"accepted: {seen.calls}, refused on the way up: {refused}",
        f"beyond that: {codes}",
        f"refusal, p95: {refusal_ms:.1f} ms (goal: under {MOST_REFUSAL_MS:.0f})",
        f"accepted calls lost: {seen.lost} (goal: 0)",
        f"packets of accepted calls late, p99: {seen.outbound_ms():.1f} ms "
        f"(goal: {MOST_LATE_MS:.0f})",
        f"gaps: {seen.gaps} in {seen.heard_s:.0f} s of sound; unanswered: {seen.unanswered}",
        f"callers' own lateness, p99: {seen.own_late_ms:.1f} ms",
    ]
    if seen.own_late_ms > LATE_MS:
        lines.append("void: the callers themselves were late")
    elif (
        seen.lost
        or len(knocks.refused_ms) < knocks.codes.total()
        or refusal_ms >= MOST_REFUSAL_MS
        or seen.outbound_ms() > MOST_LATE_MS
    ):
        lines.append("missed")
    return lines


def main() -> None:
    """Measure once, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    machine = Machine()
    lines = told(given.calls, *asyncio.run(measure(given.calls, given.seconds)))
    sys.stdout.write("\n".join([*lines, machine.note()]) + "\n")


if __name__ == "__main__":
    main()
