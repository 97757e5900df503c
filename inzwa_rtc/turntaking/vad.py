"""Silero over one stream that comes frame by frame, where there are no others to go with."""

from __future__ import annotations

import numpy as np

from inzwa_rtc.turntaking import silero
from inzwa_rtc.turntaking.silero import WINDOW, Silero
from inzwa_rtc.turntaking.stream import WINDOW_BYTES


class SileroVad:
    """Satisfies `VoiceDetector`. Without a network that is there, it loads one (3 ms)."""

    def __init__(self, network: Silero | None = None) -> None:
        self._network = network or silero.load()
        self._row = self._network.begin()
        self._rows = np.array([self._row], np.intp)
        self._waiting = bytearray()
        self._probability = 0.0

    def feed(self, pcm: bytes) -> float:
        """Probability of speech in the newest whole window."""
        self._waiting += pcm
        while len(self._waiting) >= WINDOW_BYTES:
            window = np.frombuffer(bytes(self._waiting[:WINDOW_BYTES]), np.int16)
            heard = self._network.probabilities(window.reshape(1, WINDOW), self._rows)
            self._probability = float(heard[0])
            del self._waiting[:WINDOW_BYTES]
        return self._probability

    def reset(self) -> None:
        """Forget the stream: the next one starts as with a new instance."""
        self._network.reset(self._row)
        self._waiting.clear()
        self._probability = 0.0
