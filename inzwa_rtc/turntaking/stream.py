"""One call's audio on its way through the ear, cut into windows and put together again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from inzwa_rtc.audio.frame import BYTES_PER_SAMPLE
from inzwa_rtc.engines.contracts import Haste, Microphone, NoiseSuppressor
from inzwa_rtc.turntaking.detector import SILENT
from inzwa_rtc.turntaking.looks import Cycle
from inzwa_rtc.turntaking.silero import WINDOW

FRAMES_AT_ONCE: Final = 8
"""That a call is asked for at a look. Five windows: what a call has saved up that nobody was in a
haste for, and whoever is behind catches up at several times its pace."""

MOST_SAVED_UP: Final = 8
"""Windows; a cycle brings five."""

WINDOW_BYTES: Final = WINDOW * BYTES_PER_SAMPLE


class Stream:
    """The frames of this look, and the samples that are in no judged window yet: less than a
    window of them. Without a `row` in the network nobody listens, and no frame has speech.

    Frames that are silent whatever the network would say of them are not judged before the cycle
    ends, or before one comes that is not: it takes less time to judge several at once.

    Before the first frame there is as much silence as makes windows whole where the call's
    `cycle` looks for them."""

    def __init__(
        self,
        microphone: Microphone,
        cycle: Cycle,
        row: int | None,
        suppressor: NoiseSuppressor | None = None,
    ) -> None:
        self.cycle = cycle
        self.row = -1 if row is None else row
        self.windows = 0
        """How many are whole, to be judged at this look."""
        self.judged: list[float] = []
        """Their probabilities, in their order."""
        self._is_heard = row is not None
        self._has_begun = False
        self._microphone = microphone
        self._suppressor = suppressor
        self._frames: Sequence[bytes] = ()
        self._samples = b""
        self._begun = 0  # bytes of a window that earlier ticks have left
        self._probability = 0.0

    def is_due(self, tick: int, now: float) -> bool:
        """Whether to look at it now."""
        haste = self._microphone.haste
        if not self.cycle.is_due(tick, haste):
            return False
        if haste is not Haste.EACH_SOUND or self.cycle.is_due(tick, Haste.IN_TIME):
            return True
        if not self._microphone.is_silent(now):
            return True
        self.cycle.looked(tick)
        return False

    def rests(self, tick: int) -> int:
        """At how many ticks behind this one it is not to be looked at."""
        return self.cycle.rests(tick) if self._microphone.haste is Haste.IN_TIME else 0

    def gather(self, tick: int, now: float) -> None:
        """Take what has come."""
        may_wait = not self.cycle.is_due(tick, Haste.IN_TIME)
        self.cycle.looked(tick)
        self._frames = self._microphone.take(FRAMES_AT_ONCE, now)
        if self._suppressor is not None:
            self._frames = [self._suppressor.feed(pcm) for pcm in self._frames]
        if self._is_heard and self._frames:
            if not self._has_begun:
                self._has_begun = True
                bytes_come = sum(map(len, self._frames))
                self._samples = bytes((self.cycle.bytes_by(tick) - bytes_come) % WINDOW_BYTES)
            self._begun = len(self._samples)
            come = b"".join(self._frames)
            self._samples += come
            whole = len(self._samples) // WINDOW_BYTES
            may_wait = may_wait and whole < MOST_SAVED_UP
            self.windows = 0 if may_wait and _is_silent(come) else whole

    def window(self, number: int) -> bytes:
        """The samples of one."""
        return self._samples[number * WINDOW_BYTES : (number + 1) * WINDOW_BYTES]

    def hand_on(self) -> None:
        """Give each frame back, with the probability of the newest window that was whole by its
        end."""
        end = self._begun
        for pcm in self._frames:
            end += len(pcm)
            whole = end // WINDOW_BYTES
            speech = self.judged[whole - 1] if whole and self.windows else self._probability
            self._microphone.give(pcm, speech)
        if self.windows:
            self._probability = self.judged[-1]
            self._samples = self._samples[self.windows * WINDOW_BYTES :]
            self.judged.clear()
            self.windows = 0

    def give_up(self, error: Exception) -> None:
        """It cannot be listened to any more."""
        self._microphone.give_up(error)


def _is_silent(pcm: bytes) -> bool:
    samples = np.frombuffer(pcm, np.int16)
    # `samples.max()` takes three times as long for so few.
    return bool(np.maximum.reduce(samples) <= SILENT and np.minimum.reduce(samples) >= -SILENT)
