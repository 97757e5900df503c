"""What benchmark callers say: eSpeak's voice, cut at its first and last audible moment."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inzwa_rtc.audio.frame import FRAME_MS, frame_bytes
from inzwa_rtc.audio.opus import OpusEncoder
from inzwa_rtc.audio.resample import Resampler
from inzwa_rtc.bench.utterance import AUDIBLE_RMS, rms
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE, SpeechRequest
from inzwa_rtc.engines.tts.espeak.engine import ESpeak, ESpeakOptions

BITRATE = 32_000
_STEP = ASR_SAMPLE_RATE * 5 // 1000
_TAIL_FRAMES = 10
_VOICE = "en-us"  # the clearest to the embedded recogniser


@dataclass(frozen=True, slots=True)
class Phrase:
    """Speech in 20 ms frames (int16 LE mono 16 kHz), and the same as Opus packets.

    Frame 0 begins with the first audible sample; frame `last` holds the last audible one.
    Silence follows, so that the codec comes to rest.
    """

    text: str
    frames: list[bytes]
    packets: list[bytes]
    last: int


class Spoken:
    """One phrase on its way; the times are those at which its packets left, in seconds."""

    def __init__(self) -> None:
        self.first_at = 0.0
        self.last_at = 0.0
        """When the packet with the last audible sample left."""
        self._sent = asyncio.Event()

    async def sent(self) -> None:
        """Return once the last audible packet has left."""
        await self._sent.wait()

    def left(self, now: float) -> None:
        """The last audible packet leaves."""
        self.last_at = now
        self._sent.set()


class Mouth:
    """What leaves every 20 ms: queued phrases, else silence."""

    def __init__(self, silence: bytes, form: Callable[[Phrase], list[bytes]]) -> None:
        self._silence = silence
        self._form = form
        self._queue: deque[tuple[bytes, Spoken, bool, bool]] = deque()

    def speak(self, phrase: Phrase) -> Spoken:
        """Queue a phrase."""
        spoken = Spoken()
        for number, payload in enumerate(self._form(phrase)):
            self._queue.append((payload, spoken, number == 0, number == phrase.last))
        return spoken

    def next(self, now: float) -> bytes:
        """The payload that leaves now."""
        if not self._queue:
            return self._silence
        payload, spoken, is_first, is_last = self._queue.popleft()
        if is_first:
            spoken.first_at = now
        if is_last:
            spoken.left(now)
        return payload


async def phrase(text: str) -> Phrase:
    """`text` as a caller says it."""
    samples = _trimmed(await _spoken(text))
    size = ASR_SAMPLE_RATE * FRAME_MS // 1000
    count = -(-len(samples) // size)
    padded = np.pad(samples, (0, (count + _TAIL_FRAMES) * size - len(samples)))
    frames = [frame.tobytes() for frame in padded.reshape(-1, size)]
    encoder = OpusEncoder(ASR_SAMPLE_RATE, BITRATE, mode="voice")
    return Phrase(text, frames, [encoder.encode(frame) for frame in frames], count - 1)


def silent_packet() -> bytes:
    """20 ms of silence, as an encoder at rest makes it."""
    encoder = OpusEncoder(ASR_SAMPLE_RATE, BITRATE, mode="voice")
    silence = bytes(frame_bytes(ASR_SAMPLE_RATE))
    return [encoder.encode(silence) for _ in range(_TAIL_FRAMES)][-1]


async def _spoken(text: str) -> npt.NDArray[np.int16]:
    engine = ESpeak(ESpeakOptions())
    try:
        chunks = [chunk.pcm async for chunk in engine.synthesize(SpeechRequest(text, voice=_VOICE))]
        resampler = Resampler(engine.sample_rate, ASR_SAMPLE_RATE)
        pcm = resampler.feed(b"".join(chunks)) + resampler.flush()
    finally:
        engine.close()
    return np.frombuffer(pcm, "<i2")


def _trimmed(samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    steps = range(0, len(samples), _STEP)
    audible = [at for at in steps if rms(samples[at : at + _STEP].tobytes()) >= AUDIBLE_RMS]
    return samples[audible[0] : audible[-1] + _STEP]
