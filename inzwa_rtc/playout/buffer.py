"""What is written and not yet played: whole frames, and the start of the next one."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from inzwa_rtc.audio.frame import PlayoutFrame


class Buffer:
    """Cuts samples into frames of `frame_bytes`, and keeps frames until they are taken."""

    def __init__(self, frame_bytes: int) -> None:
        self._frame_bytes = frame_bytes
        self._frames: deque[PlayoutFrame] = deque()
        self._start = bytearray()  # of the next frame

    def __len__(self) -> int:
        """How many bytes of sound there are."""
        return len(self._frames) * self._frame_bytes + len(self._start)

    def cut(self, pcm: bytes) -> list[bytes]:
        """The frames that are whole once these samples follow the last ones; what is left of
        them waits. The frames are to be added in the form in which they are played."""
        self._start += pcm
        size = self._frame_bytes
        whole = len(self._start) - len(self._start) % size
        frames = [bytes(self._start[at : at + size]) for at in range(0, whole, size)]
        del self._start[:whole]
        return frames

    def add_frames(self, frames: Sequence[PlayoutFrame]) -> None:
        """Append whole frames, behind whole ones only: of those that `cut` gave, the rest waits
        behind them; before others it is made whole."""
        self._frames.extend(frames)

    @property
    def missing(self) -> int:
        """Bytes by which the frame that was begun, if one was, is not whole yet."""
        return -len(self._start) % self._frame_bytes

    def put_back(self, frames: Sequence[PlayoutFrame]) -> None:
        """Have them, in this order, before all others again."""
        self._frames.extendleft(reversed(frames))

    def take(self) -> PlayoutFrame | None:
        """The next whole frame, None where there is none."""
        return self._frames.popleft() if self._frames else None

    def clear(self) -> None:
        """Forget all of it."""
        self._frames.clear()
        self._start.clear()
