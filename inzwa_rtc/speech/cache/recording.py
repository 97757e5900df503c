"""A phrase that is being spoken, and may be kept once it is complete."""

from __future__ import annotations

from inzwa_rtc.audio.frame import BYTES_PER_SAMPLE
from inzwa_rtc.engines.contracts import WordTime


class Recording:
    """Collects the sound of one phrase as it goes to the caller, gain and all; `rate` in Hz.

    Sound that gets longer than `max_s` is dropped, and nothing more of it collected.
    """

    def __init__(self, rate: int, max_s: float) -> None:
        self.rate = rate
        self._most_bytes = int(rate * max_s) * BYTES_PER_SAMPLE
        self._pcm = bytearray()
        self._words: list[WordTime] = []
        self._is_too_long = False

    def add(self, pcm: bytes, words: tuple[WordTime, ...] = ()) -> None:
        """More of the phrase: int16 LE mono, and the words that are known by now."""
        if self._is_too_long:
            return
        self._words += words
        self._pcm += pcm
        if len(self._pcm) > self._most_bytes:
            self._is_too_long = True
            self._pcm.clear()
            self._words.clear()

    @property
    def is_worth_keeping(self) -> bool:
        """Whether there is sound, and not too much of it."""
        return bool(self._pcm)

    @property
    def pcm(self) -> bytes:
        """All of the sound."""
        return bytes(self._pcm)

    @property
    def words(self) -> tuple[WordTime, ...]:
        """All words told."""
        return tuple(self._words)
