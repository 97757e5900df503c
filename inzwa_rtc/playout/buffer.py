"""What is written and not yet played: whole frames, and the start of the next one."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from inzwa_rtc.audio.frame import PlayoutFrame


class Buffer:
    """Cuts what is written into frames of `frame_bytes`; frames that come whole stay whole."""

    def __init__(self, frame_bytes: int) -> None:
        self._frame_bytes = frame_bytes
        self._frames: deque[PlayoutFrame] = deque()
        self._start = bytearray()  # of the next frame

    def __len__(self) -> int:
        """How many bytes of sound there are."""
        return len(self._frames) * self._frame_bytes + len(self._start)

    def add(self, pcm: bytes) -> None:
        """Append samples, any number of them."""
        self._start += pcm
        whole = len(self._start) - len(self._start) % self._frame_bytes
        for start in range(0, whole, self._frame_bytes):
            frame = bytes(self._start[start : start + self._frame_bytes])
            self._frames.append(PlayoutFrame(frame))
        del self._start[:whole]

    def add_frames(self, frames: Sequence[PlayoutFrame]) -> None:
        """Append whole frames behind a whole frame: `pad` comes first."""
        assert not self._start, "half a frame is left behind"
        self._frames.extend(frames)

    def pad(self) -> int:
        """Fill the frame that was begun, if one was, with silence; return the bytes added."""
        missing = -len(self._start) % self._frame_bytes
        self.add(bytes(missing))
        return missing

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
