"""Speech for the caller's microphone, made by the embedded engine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from inzwa_rtc.audio.resample import Resampler
from inzwa_rtc.engines.contracts import SpeechRequest
from inzwa_rtc.engines.tts.espeak.engine import ESpeak, ESpeakOptions

Samples = npt.NDArray[np.int16]


async def speech(text: str, rate: int = 48_000, voice: str | None = None) -> Samples:
    """`text` spoken, int16 mono at `rate`."""
    engine = ESpeak(ESpeakOptions())
    try:
        request = SpeechRequest(text, voice=voice)
        pcm = b"".join([chunk.pcm async for chunk in engine.synthesize(request)])
        resampler = Resampler(engine.sample_rate, rate)
        return np.frombuffer(resampler.feed(pcm) + resampler.flush(), dtype="<i2").copy()
    finally:
        engine.close()


def correlation(reference: Samples, received: Samples) -> float:
    """How well the reference is found in what was received: the highest normalised
    cross-correlation over all lags, 1 for an exact copy. Both at the same rate."""
    reference64, received64 = reference.astype(float), received.astype(float)
    size = 1 << (len(reference) + len(received) - 1).bit_length()
    product = np.fft.rfft(received64, size) * np.conj(np.fft.rfft(reference64, size))
    lagged = np.fft.irfft(product, size)[: len(received)]
    energy = np.cumsum(np.concatenate([[0.0], received64**2]))
    ends = np.minimum(np.arange(len(received)) + len(reference), len(received))
    window = np.sqrt(energy[ends] - energy[: len(received)])
    norm = np.sqrt(np.sum(reference64**2)) * np.maximum(window, 1.0)
    return float(np.max(lagged / norm))
