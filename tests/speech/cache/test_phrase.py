"""A kept phrase sounds as it did, at the caller's rate, from its first sample to its last."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from inzwa_rtc.audio.frame import frame_bytes
from inzwa_rtc.engines.contracts import WordTime
from inzwa_rtc.speech.cache.phrase import ENCODED_RATE, KeptPhrase

RATE = 22_050  # of most voices
WORDS = (WordTime(0, 5, 0), WordTime(6, 5, 400, is_estimated=True))


def chirp(rate: int, seconds: float) -> NDArray[np.float64]:
    """A sound of which no part is like another: 200 to 1,200 Hz."""
    times = np.arange(round(rate * seconds)) / rate
    return np.asarray(8000 * np.sin(2 * np.pi * (200 + 500 * times / seconds) * times))


def kept(seconds: float = 1.3, bitrate: int = 28_000) -> KeptPhrase:
    pcm = chirp(RATE, seconds).astype("<i2").tobytes()
    return KeptPhrase.of(pcm, RATE, WORDS, bitrate)


def decoded(phrase: KeptPhrase, rate: int) -> NDArray[np.float64]:
    frames = [frame for batch in phrase.decoded_frames(rate) for frame in batch]
    assert {len(frame.pcm) for frame in frames} == {frame_bytes(rate)}
    assert len(frames) == len(phrase.packets)
    return np.frombuffer(b"".join(frame.pcm for frame in frames), "<i2").astype(float)


@pytest.mark.parametrize(
    ("rate", "bitrate"),
    [(16_000, 28_000), (24_000, 28_000), (48_000, 28_000), (24_000, 16_000), (24_000, 32_000)],
)
def test_it_is_decoded_to_the_callers_rate_at_its_own_time(rate: int, bitrate: int) -> None:
    sound, original = decoded(kept(bitrate=bitrate), rate), chirp(rate, 1.3)
    assert 0 <= len(sound) - len(original) < 2 * frame_bytes(rate) // 2
    shifts = range(-rate // 500, rate // 500)  # 2 ms each way
    middle = slice(rate // 10, len(original) - rate // 10)
    likeness = {
        shift: np.corrcoef(np.roll(sound[: len(original)], shift)[middle], original[middle])[0, 1]
        for shift in shifts
    }
    best = max(likeness, key=lambda shift: likeness[shift])
    assert likeness[best] > 0.97
    assert abs(best) <= rate // 1000  # within a millisecond


def test_its_last_samples_are_heard() -> None:
    pcm = chirp(ENCODED_RATE, 0.4).astype("<i2").tobytes()  # 20 whole frames: nothing to spare
    phrase = KeptPhrase.of(pcm, ENCODED_RATE, (), 28_000)
    end = decoded(phrase, ENCODED_RATE)[: len(pcm) // 2][-120:]
    assert np.abs(end).max() > 4000


def test_it_takes_a_tenth_of_the_memory_of_its_samples() -> None:
    phrase = kept(5.0)
    assert phrase.size_bytes < 5.0 * ENCODED_RATE * 2 / 8
    assert phrase.duration_ms in (5020, 5040)


def test_encoded_frames_are_its_packets() -> None:
    phrase = kept()
    assert tuple(frame.packet for frame in phrase.encoded_frames()) == phrase.packets
    assert phrase.words == WORDS
