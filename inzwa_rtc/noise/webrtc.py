"""The noise suppressor of WebRTC's audio processing, through webrtc-noise-gain."""

from __future__ import annotations

from webrtc_noise_gain import AudioProcessor

from inzwa_rtc.audio.frame import BYTES_PER_SAMPLE
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE

STRENGTHS = (1, 2, 3, 4)
"""From low to very high, as the library counts them."""

MODERATE = 2
"""With the weaker one turns ended later in loud noise, with the strongest one less was
understood in mild noise (docs/benchmarks.md, Noise)."""

_NO_GAIN = 0  # recognisers make up for the level themselves
_STEP_BYTES = ASR_SAMPLE_RATE // 100 * BYTES_PER_SAMPLE  # the library takes 10 ms at a time


class WebRtcSuppressor:
    """One caller's suppressor (`NoiseSuppressor`), by spectral estimation; 6 ms of delay.

    It follows noise that stays, such as a fan, in about a second, and leaves voices in the
    background as they are. The library always takes away what is below the voice as well
    (a high-pass filter).
    """

    def __init__(self, strength: int = MODERATE) -> None:
        self._processor = AudioProcessor(_NO_GAIN, strength)

    def feed(self, pcm: bytes) -> bytes:
        """As in `NoiseSuppressor`."""
        steps = range(0, len(pcm), _STEP_BYTES)
        cleaned = [self._processor.Process10ms(pcm[at : at + _STEP_BYTES]) for at in steps]
        return b"".join(step.audio for step in cleaned)
