"""A microphone with what a test puts into it."""

from __future__ import annotations

from collections import deque

from inzwa_rtc.engines.contracts import Haste

FRAME_BYTES = 640
LOUD = b"\x10\x10" * 320
QUIET = bytes(FRAME_BYTES)


class Wire:
    """Satisfies `Microphone`, in as much haste as the test says."""

    def __init__(self, *frames: bytes, haste: Haste = Haste.EACH_FRAME) -> None:
        self.haste = haste
        self.frames = deque(frames)
        self.given: list[tuple[bytes, float]] = []
        self.error: Exception | None = None
        self.breaks = False
        self.asked = 0  # whether it is silent

    def is_silent(self, now: float) -> bool:
        self.asked += 1
        return not any(map(any, self.frames))

    def take(self, most: int, now: float) -> list[bytes]:
        return [self.frames.popleft() for _ in range(min(most, len(self.frames)))]

    def give(self, pcm: bytes, speech: float) -> None:
        if self.breaks:
            raise RuntimeError("full")
        self.given.append((pcm, speech))

    def give_up(self, error: Exception) -> None:
        self.error = error
