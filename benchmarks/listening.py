"""What listening costs: the network by itself, and one tick of the ear with the calls' inboxes.

    python -m benchmarks.listening

Microseconds of processor time, the least of several rounds: a machine that does other things
beside it shows too much, never too little.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import aclosing

import numpy as np

from inzwa_rtc.audio.frame import FRAME_MS
from inzwa_rtc.engines.contracts import Haste
from inzwa_rtc.transport.inbox import Inbox
from inzwa_rtc.turntaking import silero
from inzwa_rtc.turntaking.ear import Ear

AT_ONCE = (1, 4, 16, 50)
ROUNDS = 12
TIMES = 50
NOISE = np.random.default_rng(1).integers(-3000, 3000, (50, silero.WINDOW)).astype(np.int16)
FRAMES = [NOISE[row, :320].tobytes() for row in range(50)]


def least_us(act: Callable[..., object], *given: object) -> float:
    """Of one time."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(TIMES):
            act(*given)
        rounds.append((time.process_time() - began) / TIMES * 1e6)
    return min(rounds)


def network() -> list[str]:
    """Of a window, with sound and without."""
    one = silero.load()
    rows = np.array([one.begin() for _ in range(max(AT_ONCE))])
    lines = ["| windows at a time | us each | without a sound |", "|---|---|---|"]
    for count in AT_ONCE:
        sound, silence = NOISE[:count], np.zeros_like(NOISE[:count])
        with_sound = least_us(one.probabilities, sound, rows[:count])
        for _ in range(2):  # the first still has samples of sound before it
            one.probabilities(silence, rows[:count])
        without = least_us(one.probabilities, silence, rows[:count])
        lines.append(f"| {count} | {with_sound / count:.0f} | {without / count:.0f} |")
    return lines


async def inward_us(calls: int, haste: Haste) -> float:
    """Of a call's frame, from its arrival to the conversation."""
    now = 0.0
    ear = Ear(silero.load())
    inboxes: list[Inbox[str]] = [Inbox(ear.of_call(), lambda: now) for _ in range(calls)]
    tasks = [asyncio.create_task(_receive(inbox)) for inbox in inboxes]
    await asyncio.sleep(0)
    for inbox in inboxes:
        inbox.wanted = haste
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(TIMES):
            now += FRAME_MS / 1000
            for inbox, frame in zip(inboxes, FRAMES, strict=False):
                inbox.put_audio(frame)
            ear.tick(now)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        rounds.append((time.process_time() - began) / TIMES / calls * 1e6)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return min(rounds)


async def _receive(inbox: Inbox[str]) -> None:
    async with aclosing(inbox.receive()) as items:
        async for _ in items:
            pass


def main() -> None:
    hastes = [haste.name.lower().replace("_", " ") for haste in Haste]
    lines = [*network(), "", "All of a frame's way in, in us, by how soon it is wanted:", ""]
    lines += [f"| calls | {' | '.join(hastes)} |", "|---" * (1 + len(hastes)) + "|"]
    for calls in AT_ONCE:
        took = [f"{asyncio.run(inward_us(calls, haste)):.0f}" for haste in Haste]
        lines.append(f"| {calls} | {' | '.join(took)} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
