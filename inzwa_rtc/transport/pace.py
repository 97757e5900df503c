"""When to send the next 20 ms frame: sans-I/O pacing on a monotonic clock."""

from __future__ import annotations

from inzwa_rtc.audio.frame import FRAME_MS

FRAME_S = FRAME_MS / 1000
MAX_LATE_S = 0.1  # after a longer stall, skip: a burst of old frames helps nobody


class Pacer:
    """Frame `n` is due `n * 20 ms` after the first; `now` is in seconds, monotonic."""

    def __init__(self, now: float) -> None:
        self._start = now
        self._frames = 0

    def next_frame(self, now: float) -> tuple[int, float]:
        """Number of the next frame, and how long to wait for it.

        After a stall the number jumps, so that frames stay 20 ms apart in the
        media's time as well as on the clock.
        """
        late = now - (self._start + self._frames * FRAME_S)
        if late > MAX_LATE_S:
            self._frames += int(late / FRAME_S)
        frame = self._frames
        self._frames += 1
        return frame, max(0.0, self.due(frame) - now)

    def due(self, frame: int) -> float:
        """When it is to be sent."""
        return self._start + frame * FRAME_S
