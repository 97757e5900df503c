"""The clock on which all callers speak, and how well it keeps time."""

from __future__ import annotations

import asyncio
import time
from array import array
from typing import Protocol

import numpy as np

from inzwa_rtc.audio.frame import FRAME_MS

PHASES = 4
"""Callers speak 5 ms apart from each other, as strangers do, instead of all at the same moment."""

TICK_S = FRAME_MS / 1000 / PHASES
LATE_MS = 5.0
"""A run in which the 99th percentile of this clock's lateness is above this is void: what came
late may have been sent late."""


class Speaker(Protocol):
    """Somebody who sends a packet every 20 ms."""

    def speak(self, now: float) -> None:
        """Send the next one."""
        ...


class SendClock:
    """Calls every speaker once in 20 ms, against `start + n * 5 ms`.

    `lateness_ms` has, for each tick, by how much its last packet left after it was due. A tick
    that is over before its turn came is made up for at once: the caller's microphone does not
    stop because this process was slow, and the lateness tells of it.
    """

    def __init__(self) -> None:
        self.lateness_ms = array("d")
        self._phases: list[list[Speaker]] = [[] for _ in range(PHASES)]

    def add(self, speaker: Speaker) -> None:
        """Have this one speak, in the phase that has the fewest."""
        min(self._phases, key=len).append(speaker)

    def remove(self, speaker: Speaker) -> None:
        """Let this one be."""
        for phase in self._phases:
            if speaker in phase:
                phase.remove(speaker)

    async def run(self) -> None:
        """Keep going until cancelled."""
        start, tick = time.monotonic(), 0
        while True:
            due = start + tick * TICK_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            now = time.monotonic()
            phase = self._phases[tick % PHASES]
            for speaker in phase:
                speaker.speak(now)
            if phase:
                self.lateness_ms.append((time.monotonic() - due) * 1000)
            tick += 1

    def reset(self) -> None:
        """Forget the lateness so far."""
        del self.lateness_ms[:]

    def late_ms(self, percentile: float = 99.0) -> float:
        """How late it was; 0 before the first tick."""
        return float(np.percentile(self.lateness_ms, percentile)) if self.lateness_ms else 0.0
