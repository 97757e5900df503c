"""An utterance made ready for the decoder: where the voice is, without the noise around it.

PocketSphinx levels a voice and learns its noise while it listens, which is a guess
at the start of a call: the same sentence was right with 200 ms of quiet before it and
refused with 500. With the whole utterance at hand nothing needs guessing, and what is
made here hardly depends on what surrounds the voice. Taking the noise away so left
44% of phrases right at 10 dB of noise instead of 23%.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE

FRAME_MS = 10
_FRAME = ASR_SAMPLE_RATE * FRAME_MS // 1000
_FEWEST_FRAMES = 10
_LOUDEST = 6  # how many frames make a peak: a click is shorter, a word longer
_QUIETEST_PEAK_DB = 30.0  # -60 dBFS: nobody speaks into a microphone as softly as that
_LEAST_RISE_DB = 6.0
_MARGIN = 20  # frames of quiet kept on both sides
_LOUD = 12_000.0  # the level given to all voices
_DITHER = 30.0  # -60 dBFS: digital silence upsets the mean of the cepstra

_WINDOW = 512
_HOP = _WINDOW // 2
_SHAPE = np.sqrt(np.hanning(_WINDOW + 1)[:-1])
_SUBTRACT = 2.0  # times the noise's power; 1 leaves 38% right at 10 dB, 3 gains nothing more
_LEAST_GAIN = 0.1
_QUIET_SHARE = 20  # per cent of the utterance that is taken for noise


@dataclass(frozen=True, slots=True)
class Span:
    """Where a voice is, in frames of 10 ms; `end` is the first without it."""

    start: int
    end: int


def energies(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """The level of each full frame in dB, 90 for the loudest there can be."""
    count = len(samples) // _FRAME
    frames = samples[: count * _FRAME].reshape(count, _FRAME).astype(np.float64)
    power: NDArray[np.float64] = np.mean(frames**2, axis=1)
    return np.asarray(10 * np.log10(power + 10), np.float64)


def find(levels: NDArray[np.float64]) -> Span | None:
    """Where the voice is in frames of these levels; None where nothing stands out."""
    if len(levels) < _FEWEST_FRAMES:
        return None
    smooth = np.convolve(levels, np.ones(3) / 3, "same")
    floor, peak = np.percentile(smooth, 15), np.sort(smooth)[-_LOUDEST]
    if peak < _QUIETEST_PEAK_DB or peak - floor < _LEAST_RISE_DB:
        return None
    audible = max(floor + 6, min(floor + 0.35 * (peak - floor), peak - 30))
    voiced = np.flatnonzero(smooth > audible)
    return Span(int(voiced[0]), int(voiced[-1]) + 1)


def ready(samples: NDArray[np.int16], span: Span) -> tuple[NDArray[np.int16], int]:
    """The voice with 200 ms around it, clean and at one level; and its first frame."""
    first = max(0, span.start - _MARGIN)
    part = _without_noise(samples)[first * _FRAME : (span.end + _MARGIN) * _FRAME]
    level = float(np.percentile(np.abs(part), 99.5))
    dither = np.random.default_rng(0).standard_normal(len(part)) * _DITHER
    made = part * (_LOUD / max(level, 50.0)) + dither
    return np.clip(made, -32768, 32767).astype(np.int16), first


def at_tempo(samples: NDArray[np.int16], tempo: float) -> NDArray[np.int16]:
    """The same voice played faster, and so higher (1.07), or slower and lower (0.93)."""
    places = np.arange(0, len(samples) - 1, tempo)
    made: NDArray[np.float64] = np.interp(places, np.arange(len(samples)), samples)
    return made.astype(np.int16)


def _without_noise(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """Spectral subtraction (Boll 1979; Berouti 1979 for the factor and the least gain)."""
    padded = np.pad(samples.astype(np.float64), (_WINDOW, _WINDOW + -len(samples) % _HOP))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    spectrum = np.fft.rfft(windows * _SHAPE, axis=1)
    power = np.abs(spectrum) ** 2
    inner = power[2:-2]  # without the padding
    sums = inner.sum(axis=1)
    noise = inner[sums <= np.percentile(sums, _QUIET_SHARE)].mean(axis=0)
    over_time = np.cumsum(np.pad(power, ((3, 2), (0, 0))), axis=0)
    smooth = (over_time[5:] - over_time[:-5]) / 5
    gain = np.sqrt(np.maximum(1 - _SUBTRACT * noise / np.maximum(smooth, 1e-9), _LEAST_GAIN**2))
    parts = np.fft.irfft(spectrum * gain, axis=1) * _SHAPE
    made = np.zeros(len(padded))
    for place, part in enumerate(parts):
        made[place * _HOP : place * _HOP + _WINDOW] += part
    return made[_WINDOW : _WINDOW + len(samples)]
