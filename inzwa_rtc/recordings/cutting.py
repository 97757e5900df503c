"""Cuts a recording into utterances, where calls would. Sans I/O."""

from __future__ import annotations

from dataclasses import dataclass

from inzwa_rtc.audio.frame import BYTES_PER_SAMPLE, Frame, frame_bytes
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE, VoiceDetector
from inzwa_rtc.settings import TurnSettings
from inzwa_rtc.turntaking.detector import SpeechStarted, TurnDetector, TurnEnded

_FRAME_BYTES = frame_bytes(ASR_SAMPLE_RATE)
_KEPT_BYTES = 2 * ASR_SAMPLE_RATE * BYTES_PER_SAMPLE  # more than `preroll_ms` and `start_ms` reach


@dataclass(frozen=True, slots=True)
class Stretch:
    """One utterance: its samples (int16 LE mono 16 kHz), and the number of the first one."""

    start: int
    pcm: bytes


class Cutter:
    """Feed it the recording; it gives the utterances."""

    def __init__(self, vad: VoiceDetector, settings: TurnSettings) -> None:
        self.samples = 0
        """Of the recording so far, in whole frames."""
        self._vad = vad
        self._detector = TurnDetector(settings)
        self._preroll = settings.preroll_ms * ASR_SAMPLE_RATE // 1000
        self._rest = b""
        self._kept = bytearray()  # the end of what came, back to where the utterance begins
        self._begin: int | None = None
        self._last_end = 0

    def feed(self, pcm: bytes) -> list[Stretch]:
        """The utterances that end with this, which may be of any length."""
        data = self._rest + pcm
        whole = len(data) - len(data) % _FRAME_BYTES
        self._rest = data[whole:]
        found: list[Stretch] = []
        for at in range(0, whole, _FRAME_BYTES):
            found += self._frame(data[at : at + _FRAME_BYTES])
        return found

    def finish(self) -> list[Stretch]:
        """What is left at the recording's end."""
        last = self._rest
        found = self.feed(bytes(_FRAME_BYTES - len(last))) if last else []
        for event in self._detector.end_turn(self.samples):
            found += self._on(event)
        return found

    def _frame(self, pcm: bytes) -> list[Stretch]:
        frame = Frame(pcm, ASR_SAMPLE_RATE, self.samples)
        self.samples += frame.samples
        self._kept += pcm
        found: list[Stretch] = []
        for event in self._detector.feed(frame, self._vad.feed(pcm)):
            found += self._on(event)
        if self._begin is None:
            del self._kept[: max(0, len(self._kept) - _KEPT_BYTES)]
        return found

    def _on(self, event: object) -> list[Stretch]:
        if isinstance(event, SpeechStarted) and self._begin is None:
            first = self.samples - len(self._kept) // BYTES_PER_SAMPLE
            self._begin = max(event.start - self._preroll, self._last_end, first)
        elif isinstance(event, TurnEnded) and self._begin is not None:
            begin, self._begin, self._last_end = self._begin, None, event.end
            size = (self.samples - begin) * BYTES_PER_SAMPLE
            return [Stretch(begin, bytes(self._kept[len(self._kept) - size :]))]
        return []
