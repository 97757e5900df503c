"""One connection's end of a playout, which outlasts connections.

It remembers what has left since the caller was last heard from: if the connection turns out to
be lost, that has reached nobody. And it gives a transport the sound as it wants it, when the
call was begun over one of another kind.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import groupby

from inzwa_rtc.audio.frame import FRAME_MS, PlayoutFrame, frame_bytes
from inzwa_rtc.audio.opus import OpusDecoder
from inzwa_rtc.audio.resample import Resampler
from inzwa_rtc.playout.encoding import PacketForm
from inzwa_rtc.playout.playout import Playout
from inzwa_rtc.playout.speech import Speech
from inzwa_rtc.playout.unheard import Unheard

LEAST_TRANSIT_MS = 200  # rather are words heard twice than never
MOST_FRAMES = 20_000 // FRAME_MS  # a connection that is silent for longer is given up


class Outlet(Playout):
    """To be played by one connection. `last_heard` tells when anything came from it, on the
    clock `now`, in seconds."""

    def __init__(
        self,
        playout: Playout,
        rate: int,
        last_heard: Callable[[], float],
        now: Callable[[], float],
    ) -> None:
        super().__init__(rate, playout.on_event)
        self._playout = playout
        self._last_heard = last_heard
        self._now = now
        self._left: deque[tuple[float, Speech, PlayoutFrame]] = deque(maxlen=MOST_FRAMES)
        self._is_closed = False
        self._converted = _Converted(playout.rate, rate)
        self.want(None)

    def want(self, form: PacketForm | None) -> None:
        """As in `Playout`; nothing once it is closed. Samples of another rate are wanted bare."""
        super().want(form)
        if not self._is_closed:
            self._playout.want(form if self.rate == self._playout.rate else None)

    def pull(self) -> PlayoutFrame | None:
        """As in `Playout`; silence once it is closed."""
        if self._is_closed:
            return None
        self._playout.transit_ms = self.transit_ms
        frame = self._playout.pull()
        self._forget_heard()
        if frame is not None and self._playout.newest is not None:
            self._left.append((self._now(), self._playout.newest, frame))
        return frame if self._fits(frame) else self._converted.next(frame)

    @property
    def is_ready(self) -> bool:
        """As in `Playout`."""
        return not self._is_closed and self._playout.is_ready

    def close(self) -> tuple[Unheard, ...]:
        """The connection is gone. What has not been heard of the present speech is played again,
        over the next one; what was not heard of older ones is returned."""
        if self._is_closed:
            return ()
        self._is_closed = True
        self._forget_heard()
        unheard: list[Unheard] = []
        newest = self._playout.newest
        if newest is not None and all(speech is not newest for _, speech, _ in self._left):
            newest.give_back(())  # another device will count from here
        for speech, left in groupby(self._left, key=lambda one: one[1]):
            frames = [frame for _, _, frame in left]
            if (lost := speech.not_heard(frames)) is not None:
                unheard.append(lost)
            speech.give_back(frames)
        self._left.clear()
        return tuple(unheard)

    def _forget_heard(self) -> None:
        """Whoever was heard from has heard what left long enough before."""
        if not self._left:
            return
        transit_ms = max(self.transit_ms, LEAST_TRANSIT_MS)
        heard_until = self._last_heard() - transit_ms / 1000
        while self._left and self._left[0][0] <= heard_until:
            self._left.popleft()

    def _fits(self, frame: PlayoutFrame | None) -> bool:
        if self.rate != self._playout.rate:
            return False
        if frame is None or frame.pcm:
            return True
        speech = self._playout.newest
        written = speech.form if speech is not None else None
        if self.form is None or written is None:
            return False
        return written.bitrate <= self.form.bitrate


class _Converted:
    """A playout's frames as PCM of another rate, or out of the packets that they are."""

    def __init__(self, from_rate: int, to_rate: int) -> None:
        self._resampler = Resampler(from_rate, to_rate)
        self._rates = from_rate, to_rate
        self._decoder: OpusDecoder | None = None
        self._size = frame_bytes(to_rate)
        self._pcm = bytearray()

    def next(self, frame: PlayoutFrame | None) -> PlayoutFrame | None:
        """What to play in the place of this frame."""
        if frame is None:
            if not self._pcm:
                return None
            self._pcm += bytes(max(0, self._size - len(self._pcm)))
        elif frame.pcm:
            self._pcm += self._resampler.feed(frame.pcm)
        else:
            self._decoder = self._decoder or OpusDecoder(self._rates[1])
            self._pcm += self._decoder.decode(frame.packet)
        if len(self._pcm) < self._size:
            return None
        pcm = bytes(self._pcm[: self._size])
        del self._pcm[: self._size]
        return PlayoutFrame(pcm)
