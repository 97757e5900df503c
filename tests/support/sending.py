"""A sender and its line, and what a decoder makes of all that is sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inzwa_rtc.audio.frame import PlayoutFrame
from inzwa_rtc.audio.opus import OpusDecoder
from inzwa_rtc.playout.playout import Playout
from inzwa_rtc.speech.cache.phrase import KeptPhrase
from inzwa_rtc.transport.sender import OUT_SAMPLE_RATE, OpusSender
from inzwa_rtc.transport.terms import Terms

BITRATE = 28_000
USUAL = Terms(BITRATE, BITRATE, kept_bitrate=BITRATE)
FRAME = OUT_SAMPLE_RATE // 50 * 2
FADE_MS = 15  # how quickly a voice starts and ends, at the least


def voice(hz: float, frames: int, fade_ms: int = FADE_MS) -> bytes:
    """A dark vowel at the loudness of speech: hardly anything above 1 kHz, where clicks sound."""
    times = np.arange(frames * FRAME // 2) / OUT_SAMPLE_RATE
    sound = np.zeros(len(times))
    for number in range(1, int(1000 / hz)):
        sound += np.sin(2 * np.pi * number * hz * times) / number
    sound *= 9000 / np.abs(sound).max()
    if fade_ms:
        ramp = np.linspace(0, 1, OUT_SAMPLE_RATE * fade_ms // 1000)
        sound[: len(ramp)] *= ramp
        sound[-len(ramp) :] *= ramp[::-1]
    return bytes(sound.astype("<i2").tobytes())


def kept(pcm: bytes) -> list[PlayoutFrame]:
    """Frames with packets, and with the PCM that a live encoder gets in their place."""
    packets = KeptPhrase.of(pcm, OUT_SAMPLE_RATE, (), BITRATE).packets
    pcm += bytes(len(packets) * FRAME - len(pcm))
    return [
        PlayoutFrame(pcm[n * FRAME : (n + 1) * FRAME], packet) for n, packet in enumerate(packets)
    ]


class Told(Playout):
    """Plays what the test says."""

    def __init__(self) -> None:
        super().__init__(OUT_SAMPLE_RATE, lambda event: None)
        self.frames: deque[PlayoutFrame | None] = deque()

    def pull(self) -> PlayoutFrame | None:
        return self.frames.popleft() if self.frames else None

    @property
    def is_ready(self) -> bool:
        return bool(self.frames) and self.frames[0] is not None


@dataclass(frozen=True, slots=True)
class Sent:
    tick: int
    payload: bytes
    timestamp: int
    marker: bool


class Line:
    """A sender, told what to send, and what a decoder makes of all that it sends, and of its
    silence."""

    round_trip_s = lost_outward = 0.0

    def __init__(self, terms: Terms = USUAL) -> None:
        self.sender = OpusSender(self, terms)
        self.sent: list[Sent] = []
        self.ticks = 0
        self._playout = Told()
        self.sender.play(self._playout)
        self._decoder = OpusDecoder(OUT_SAMPLE_RATE)
        self._sound: list[bytes] = []

    def send(self, payload: bytes, timestamp: int, marker: bool) -> None:
        """What the sender calls."""
        self.sent.append(Sent(self.ticks, payload, timestamp, marker))

    def play(self, *frames: PlayoutFrame | None) -> None:
        self._playout.frames = deque(frames)
        for _ in frames:
            sent = len(self.sent)
            self.sender.send(self.ticks)
            came = [one.payload for one in self.sent[sent:]]
            self._sound += [self._decoder.decode(one) for one in came] or [self._decoder.conceal()]
            self.ticks += 1

    @property
    def packets(self) -> list[bytes]:
        """One for each tick; empty where nothing was sent."""
        by_tick = {one.tick: one.payload for one in self.sent}
        return [by_tick.get(tick, b"") for tick in range(self.ticks)]

    @property
    def sound(self) -> NDArray[np.float64]:
        return np.frombuffer(b"".join(self._sound), "<i2").astype(float)


def live(frames: Sequence[PlayoutFrame]) -> list[PlayoutFrame]:
    """The same sound, to be encoded when it is sent."""
    return [PlayoutFrame(frame.pcm) for frame in frames]


ONE, TWO = kept(voice(110, 20)), kept(voice(170, 20))
