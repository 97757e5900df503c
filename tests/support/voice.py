"""Speech for the caller's microphone, made by the embedded engine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from inzwa_rtc.audio.resample import Resampler
from inzwa_rtc.engines.contracts import SpeechRequest
from inzwa_rtc.engines.tts.espeak.engine import ESpeak, ESpeakOptions

Samples = npt.NDArray[np.int16]
CLEAR_VOICE = "en-us"  # of eSpeak's, the one that the embedded recogniser understands best


async def speech(text: str, rate: int = 48_000, voice: str | None = None) -> Samples:
    """`text` spoken, int16 mono at `rate`."""
    engine = ESpeak(ESpeakOptions())
    try:
        request = SpeechRequest(text, voice=voice)
        pcm = b"".join([chunk.pcm async for chunk in engine.synthesize(request)])
        return resampled(pcm, engine.sample_rate, rate)
    finally:
        engine.close()


def resampled(pcm: bytes, from_rate: int, to_rate: int) -> Samples:
    """int16 LE mono at another rate."""
    resampler = Resampler(from_rate, to_rate)
    return np.frombuffer(resampler.feed(pcm) + resampler.flush(), dtype="<i2")
