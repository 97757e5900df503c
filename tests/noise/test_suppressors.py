"""The suppressors, by their real libraries: noise goes, speech stays."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from inzwa_rtc.engines.contracts import NoiseSuppressor
from inzwa_rtc.noise.choice import chosen
from inzwa_rtc.settings import NoiseSuppression
from tests.support.voice import speech

Samples = npt.NDArray[np.float64]

RATE = 16_000
FRAME = RATE // 50
WORDS = "Could you order a large pizza with mushrooms for the children in the garden?"
BEFORE_S = 2  # noise alone, of which a suppressor has the first half to settle
DELAYS: dict[NoiseSuppression, int] = {"webrtc": 94, "rnnoise": 352}  # samples; as documented
BOTH = pytest.mark.parametrize("name", DELAYS)


class Nothing:
    """The suppressor that does nothing."""

    def feed(self, pcm: bytes) -> bytes:
        return pcm


class Mute:
    """The suppressor that leaves no noise."""

    def feed(self, pcm: bytes) -> bytes:
        return bytes(len(pcm))


def suppressor_named(name: NoiseSuppression) -> NoiseSuppressor:
    suppressor = chosen(name)()
    assert suppressor is not None
    return suppressor


def through(suppressor: NoiseSuppressor, samples: Samples) -> Samples:
    pcm = samples.astype("<i2").tobytes()
    frames = [suppressor.feed(pcm[at : at + 2 * FRAME]) for at in range(0, len(pcm), 2 * FRAME)]
    assert {len(frame) for frame in frames} == {2 * FRAME}
    return np.frombuffer(b"".join(frames), "<i2").astype(float)


def noise(seconds: float, level: float, seed: int = 7) -> Samples:
    return np.random.default_rng(seed).standard_normal(int(seconds * RATE)) * level


async def voice() -> Samples:
    """Whole frames of it, half as loud as it is spoken."""
    samples = await speech(WORDS, RATE)
    return samples[: len(samples) // FRAME * FRAME] / 2


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of speech in noise."""

    noise_db: float
    """Level of the noise before the speech, against the noise that went in."""
    speech_db: float
    """Level of the speech, against the speech without noise."""
    likeness: float
    """Of the speech's spectrogram to the one without noise; 1 for the same."""


def heard_of(suppressor: NoiseSuppressor, clean: Samples, level: float, delay: int) -> Heard:
    begin = BEFORE_S * RATE
    noisy = noise(BEFORE_S + len(clean) / RATE + 0.04, level)[: begin + len(clean) + 2 * FRAME]
    noisy[begin : begin + len(clean)] += clean
    out = through(suppressor, noisy)
    spoken = out[begin + delay :][: len(clean)]
    ours, theirs = spectrogram(spoken), spectrogram(clean)
    return Heard(
        decibels(out[begin // 2 : begin], noisy[begin // 2 : begin]),
        decibels(spoken, clean[: len(spoken)]),
        float(np.sum(ours * theirs) / (np.linalg.norm(ours) * np.linalg.norm(theirs) + 1e-9)),
    )


def decibels(samples: Samples, reference: Samples) -> float:
    power = np.mean(samples**2) / np.mean(reference**2)
    return 10 * math.log10(max(float(power), 1e-9))


def spectrogram(samples: Samples) -> Samples:
    """Magnitudes of 20 ms pieces."""
    pieces = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    return np.abs(np.fft.rfft(pieces * np.hanning(FRAME)))


@BOTH
async def test_noise_goes_down_and_speech_stays(name: NoiseSuppression) -> None:
    clean = await voice()
    level = float(np.sqrt(np.mean(clean**2))) / 10 ** (5 / 20)  # 5 dB below the speech
    before = heard_of(Nothing(), clean, level, 0)
    after = heard_of(suppressor_named(name), clean, level, DELAYS[name])
    assert after.noise_db < -9
    assert -3 < after.speech_db < 1
    assert after.likeness > before.likeness + 0.03


async def test_the_measure_is_not_met_by_muting_everything() -> None:
    heard = heard_of(Mute(), await voice(), 500, 0)
    assert heard.noise_db < -9
    assert heard.speech_db < -20 and heard.likeness < 0.1


@BOTH
async def test_speech_without_noise_stays_as_it_is(name: NoiseSuppression) -> None:
    heard = heard_of(suppressor_named(name), await voice(), 3, DELAYS[name])
    assert -3 < heard.speech_db < 1
    assert heard.likeness > 0.95


@BOTH
async def test_the_delay_is_the_one_that_is_documented(name: NoiseSuppression) -> None:
    clean = await voice()
    out = through(suppressor_named(name), clean)
    size = len(clean) - 2 * max(DELAYS.values())
    lags = range(2 * max(DELAYS.values()))
    best = max(lags, key=lambda lag: float(np.dot(clean[:size], out[lag : lag + size])))
    assert abs(best - DELAYS[name]) <= RATE // 1000


@BOTH
async def test_silence_stays_silence_after_speech_too(name: NoiseSuppression) -> None:
    suppressor = suppressor_named(name)
    silence = np.zeros(RATE)
    assert not np.any(through(suppressor, silence))
    through(suppressor, await voice())
    assert not np.any(through(suppressor, silence)[RATE // 2 :])


@BOTH
def test_full_scale_does_not_wrap_around(name: NoiseSuppression) -> None:
    times = np.arange(RATE) / RATE
    loud = np.where(np.sin(2 * np.pi * 200 * times) > 0, 32767.0, -32768.0)
    out = through(suppressor_named(name), loud)
    tail, reference = out[RATE // 4 :], loud[RATE // 4 - DELAYS[name] :][: len(out) - RATE // 4]
    # A sample that wraps around has the other sign, and is loud.
    assert np.mean((tail * reference < 0) & (np.abs(tail) > 16_000)) < 0.02


@BOTH
def test_calls_share_no_state(name: NoiseSuppression) -> None:
    one, other = suppressor_named(name), suppressor_named(name)
    mine = noise(1, 1000, seed=1)
    alone = through(suppressor_named(name), mine)
    mixed = []
    for at in range(0, RATE, FRAME):
        through(other, noise(FRAME / RATE, 8000, seed=at))
        mixed.append(through(one, mine[at : at + FRAME]))
    assert np.array_equal(np.concatenate(mixed), alone)
