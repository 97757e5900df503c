"""When to send the next 20 ms frame: sans-I/O pacing on a monotonic clock."""

from __future__ import annotations

import math

from inzwa_rtc.audio.frame import FRAME_MS

FRAME_S = FRAME_MS / 1000
MAX_LATE_S = 0.1  # after a longer stall, skip: a burst of old frames helps nobody


class Pacer:
    """Frame `n` is due `n * 20 ms` after the first; `now` is in seconds, monotonic."""

    def __init__(self, now: float) -> None:
        self._start = now
        self._frames = 0

    def next_frame(self, now: float, left_out: int = 0) -> tuple[int, float]:
        """Number of the next frame behind those that are `left_out`, and how long to wait for it.

        After a stall the number jumps, so that frames stay 20 ms apart in the
        media's time as well as on the clock.
        """
        late = now - (self._start + self._frames * FRAME_S)
        if late > MAX_LATE_S:
            self._frames += int(late / FRAME_S)
        return self._take(self._frames + left_out, now)

    def sooner(self, now: float, least: int) -> tuple[int, float]:
        """In the place of the frame that was given last, the first one that is not over yet, and
        `least` or later; the same where there is none before it."""
        first = max(least, math.ceil((now - self._start) / FRAME_S))
        return self._take(min(self._frames - 1, first), now)

    def _take(self, frame: int, now: float) -> tuple[int, float]:
        self._frames = frame + 1
        return frame, max(0.0, self.due(frame) - now)

    def due(self, frame: int) -> float:
        """When it is to be sent."""
        return self._start + frame * FRAME_S
