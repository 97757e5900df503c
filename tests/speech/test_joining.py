"""Pieces of speech are put together without a sound that none of them has."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from inzwa_rtc.speech.joining import Joiner, Joints, longest_silence_ms

RATE = 16_000
Audio = NDArray[np.int16]
USUAL = Joints()


def noise(samples: int, seed: int, level: float = 3000.0) -> Audio:
    """Like a breath: no two stretches of it have anything to do with each other, and little of
    it lies above 4 kHz."""
    white = np.random.default_rng(seed).normal(size=samples + 64)
    return (level * np.convolve(white, np.hanning(24) / 4, "valid")[:samples]).astype(np.int16)


def tone(samples: int, hertz: float, level: float = 9000.0) -> Audio:
    return (level * np.cos(2 * np.pi * hertz * np.arange(samples) / RATE)).astype(np.int16)


def joined(
    *pieces: Audio, joints: Joints = USUAL, chunk: int = 480, silence_ms: float = 100.0
) -> tuple[Audio, list[int]]:
    """The text's audio, and in it the first sample of each piece."""
    joiner, out, starts = Joiner(RATE, joints), b"", []
    for piece in pieces:
        joiner.begin()
        for start in range(0, len(piece), chunk):
            out += joiner.feed(piece[start : start + chunk].astype("<i2").tobytes())
        out += joiner.end(silence_ms)
        starts.append(joiner.place_ms(0) * RATE // 1000)
    out += joiner.finish()
    assert joiner.given == len(out) // 2
    return np.frombuffer(out, "<i2"), starts


def high_energy(audio: Audio) -> float:
    """The energy above 4 kHz."""
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio)))) ** 2
    return float(spectrum[len(spectrum) // 2 :].sum())


def test_a_joint_clicks_no_more_than_speech_does() -> None:
    one, two = tone(8000, 180), tone(8000, 310)[40:]  # their waves do not meet
    audio, (_, at) = joined(one, two)
    steps = np.abs(np.diff(audio.astype(int)))
    around = slice(at - 320, at + 320)
    usual = max(steps[1600 : at - 400].max(), steps[at + 400 : at + 4000].max())
    assert steps[around].max() <= 1.1 * usual
    inside = max(high_energy(audio[start : start + 640]) for start in range(800, at - 800, 160))
    inside = max(inside, high_energy(audio[at + 800 : at + 1440]))
    assert high_energy(audio[around]) <= 2 * inside
    # Put side by side as they are, they do click: the measure sees it.
    butted = np.concatenate([one, two])
    assert np.abs(np.diff(butted.astype(int)))[7998:8002].max() > 1.1 * usual
    assert high_energy(butted[7680:8320]) > 10 * inside


def test_a_joint_is_as_loud_as_what_it_joins() -> None:
    joints = Joints(crossfade_ms=50)
    loudness = []
    for seed in range(20):
        audio, (_, at) = joined(noise(8000, 2 * seed), noise(8000, 2 * seed + 1), joints=joints)
        part = audio[at : at + 800].astype(float)
        loudness.append(np.mean(part**2) / np.mean(audio[1600 : at - 800].astype(float) ** 2))
    assert 0.8 < np.mean(loudness) < 1.25


def test_a_text_begins_and_ends_in_silence() -> None:
    audio, _ = joined(tone(4000, 200), tone(4000, 200))
    assert abs(audio[0]) < 300 and abs(audio[-1]) < 300
    assert max(abs(audio[60:140])) > 8000
    assert np.array_equal(audio[100:3000], tone(4000, 200)[100:3000])


def test_a_pause_is_bordered_by_fades_and_as_long_as_it_should_be() -> None:
    joiner = Joiner(RATE, Joints())
    joiner.begin()
    first = joiner.feed(tone(4000, 200).tobytes()) + joiner.end(100) + joiner.pause()
    silence = joiner.silence(1600)
    joiner.begin()
    second = joiner.feed(tone(4000, 200).tobytes()) + joiner.end(100) + joiner.finish()
    assert len(first) == len(second) == 8000
    assert silence == bytes(3200)
    assert abs(np.frombuffer(first, "<i2")[-1]) < 300 > abs(np.frombuffer(second, "<i2")[0])


def test_silence_around_a_piece_is_cut_to_a_natural_pause_and_silence_within_is_left() -> None:
    still = np.zeros(8000, np.int16)  # half a second
    piece = np.concatenate([still, tone(3200, 200), still, tone(3200, 300), still, still])
    audio, (start,) = joined(piece, silence_ms=100)
    assert len(audio) == 640 + 3200 + 8000 + 3200 + 1600
    assert start == 0


def test_what_is_quiet_at_the_beginning_of_a_word_is_kept() -> None:
    breath = np.full(600, 20, np.int16)  # below what counts as sound
    piece = np.concatenate([np.zeros(8000, np.int16), breath, tone(3200, 200)])
    audio, _ = joined(piece)
    assert audio[48:640].min() > 15


@given(
    st.lists(st.integers(0, 900), min_size=1, max_size=5),
    st.integers(1, 700),
    st.sampled_from([0.0, 4.0, 10.0, 30.0]),
    st.sampled_from([0.0, 3.0]),
)
def test_nothing_is_lost_but_what_overlaps(
    lengths: list[int], chunk: int, crossfade_ms: float, fade_ms: float
) -> None:
    pieces = [tone(length, 100 + 50 * number) for number, length in enumerate(lengths)]
    joiner, out = Joiner(RATE, Joints(crossfade_ms, fade_ms)), b""
    for piece in pieces:
        joiner.begin()
        for start in range(0, len(piece), chunk):
            out += joiner.feed(piece[start : start + chunk].tobytes())
        out += joiner.end(1000)
    out += joiner.finish()
    overlap = round(RATE * crossfade_ms / 1000)
    assert sum(lengths) - overlap * (len(lengths) - 1) <= len(out) // 2 <= sum(lengths)


@pytest.mark.parametrize("text", ["One, ", "he said:", '"Well,"'])
def test_less_silence_follows_a_clause_than_a_sentence(text: str) -> None:
    assert longest_silence_ms("no sign") < longest_silence_ms(text) < longest_silence_ms("End.")
