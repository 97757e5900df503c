"""One call's audio on its way through the ear, cut into windows and put together again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from inzwa_rtc.audio.frame import BYTES_PER_SAMPLE
from inzwa_rtc.engines.contracts import Microphone, NoiseSuppressor
from inzwa_rtc.turntaking.silero import WINDOW

FRAMES_AT_ONCE: Final = 8
"""That a call is asked for in a tick. Five windows: it catches up at eight times its pace, and
60 calls that do so together cost a tick some 10 ms."""

WINDOW_BYTES: Final = WINDOW * BYTES_PER_SAMPLE


class Stream:
    """The frames of this tick, and the samples that are in no judged window yet: less than a
    window of them. Without a `row` in the network nobody listens, and no frame has speech."""

    def __init__(
        self, microphone: Microphone, row: int | None, suppressor: NoiseSuppressor | None = None
    ) -> None:
        self.row = -1 if row is None else row
        self.windows = 0
        """How many are whole, to be judged in this tick."""
        self.judged: list[float] = []
        """Their probabilities, in their order."""
        self._is_heard = row is not None
        self._microphone = microphone
        self._suppressor = suppressor
        self._frames: Sequence[bytes] = ()
        self._samples = b""
        self._begun = 0  # bytes of a window that earlier ticks have left
        self._probability = 0.0

    def gather(self, now: float) -> None:
        """Take what has come."""
        self._frames = self._microphone.take(FRAMES_AT_ONCE, now)
        if self._suppressor is not None:
            self._frames = [self._suppressor.feed(pcm) for pcm in self._frames]
        if self._is_heard and self._frames:
            self._begun = len(self._samples)
            self._samples = b"".join((self._samples, *self._frames))
            self.windows = len(self._samples) // WINDOW_BYTES

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
