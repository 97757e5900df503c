"""Whether a recording is the sound that was sent: all of it, in order, nothing twice.

Codecs change a waveform a little, and jitter buffers stretch and squeeze time, so no single
lag fits a whole answer. The reference is therefore cut into windows, and the best way is
sought to place them all in the recording, one after another and about as far apart as they
belong: the path of highest total correlation (dynamic programming over places and windows).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tests.support.voice import Samples, resampled

Floats = npt.NDArray[np.float64]

RATE = 48_000
_RATE = 8_000  # what is compared: codecs keep the waveform of low frequencies
_MS = _RATE // 1000
WINDOW_MS = 160
STEP_MS = 80
_BIN_MS = 5
SHORTER_MS = 40  # how much nearer to each other than they belong two windows may lie,
LONGER_MS = 600  # and how much farther: a stalled machine sends late, and leaves nothing out

ALIKE = 0.6  # a window counts as found
VOICED = 300.0  # RMS; silence is like any other silence
_LOUD = 2 * VOICED
_FRAME_MS = 20
_AROUND_MS = 60  # of a found window, where its sound may still ring


@dataclass(frozen=True, slots=True)
class Placing:
    """Where the voiced windows of a reference lie in a recording."""

    likeness: Floats
    """Of each window, 1 for an exact copy."""
    begin_ms: int
    """Where the first one begins,"""
    end_ms: int
    """and the last one ends."""
    surplus_ms: int
    """What else the recording holds that is no silence."""

    @property
    def found(self) -> float:
        """The share of windows that were found."""
        return float(np.mean(self.likeness >= ALIKE))

    @property
    def lost_ms(self) -> int:
        """The longest stretch of the reference that was not found."""
        longest = run = 0
        for alike in self.likeness >= ALIKE:
            run = 0 if alike else run + 1
            longest = max(longest, run)
        return longest * STEP_MS

    def __str__(self) -> str:
        return (
            f"{self.found:.0%} of {len(self.likeness)} windows found, at most {self.lost_ms} ms "
            f"lost, median {np.median(self.likeness):.2f}, at {self.begin_ms}-{self.end_ms} ms; "
            f"{self.surplus_ms} ms of other sound"
        )


def assert_heard(reference: Samples, recording: Samples, *others: Samples) -> Placing:
    """The recording is the reference, after codecs and buffers: whole, in order, nothing twice
    and nothing else. Both are int16 at 48 kHz.

    Played backwards it is not, nor are `others` heard: which guards the measure itself.
    """
    placed = placing(reference, recording)
    assert placed.found >= 0.9 and placed.lost_ms <= 240, f"not heard whole: {placed}"
    assert placed.surplus_ms <= 200, f"more was heard than was said: {placed}"
    for other in (reference[::-1], *others):
        control = placing(other, recording)
        assert control.found < 0.5, f"heard, though it was not said: {control}"
    return placed


def placing(reference: Samples, recording: Samples) -> Placing:
    """Place a reference in a recording, both int16 at 48 kHz."""
    low, heard = _low(reference), _low(recording)
    size = WINDOW_MS * _MS
    starts = [
        start
        for start in range(0, len(low) - size + 1, STEP_MS * _MS)
        if np.sqrt(np.mean(low[start : start + size] ** 2)) >= VOICED
    ]
    assert starts, "the reference is silent"
    scores = _scores(low, starts, size, heard)
    path = _path(scores, np.diff(starts) // _MS)
    likeness = scores[np.arange(len(path)), path]
    places_ms = path * _BIN_MS
    return Placing(
        likeness,
        int(places_ms[0]),
        int(places_ms[-1]) + WINDOW_MS,
        _surplus_ms(heard, places_ms[likeness >= ALIKE]),
    )


def _surplus_ms(heard: Floats, places_ms: npt.NDArray[np.int64]) -> int:
    """How much of a recording is loud and belongs to none of the windows at these places."""
    size = _FRAME_MS * _MS
    frames = heard[: len(heard) // size * size].reshape(-1, size)
    loud = np.sqrt(np.mean(frames**2, axis=1)) >= _LOUD
    for place in places_ms:
        begin = max(0, int(place) - _AROUND_MS) // _FRAME_MS
        loud[begin : (int(place) + WINDOW_MS + _AROUND_MS) // _FRAME_MS + 1] = False
    return int(np.sum(loud)) * _FRAME_MS


def _low(samples: Samples) -> Floats:
    return np.frombuffer(resampled(samples.tobytes(), RATE, _RATE), np.int16).astype(float)


def _scores(low: Floats, starts: list[int], size: int, heard: Floats) -> Floats:
    """For each window (row) and place (column, in bins): the highest normalised
    cross-correlation within the bin."""
    length = 1 << (len(heard) + size).bit_length()
    spectrum = np.fft.rfft(heard.astype(np.float32), length)  # half the time of float64
    energy = np.cumsum(np.concatenate([[0.0], heard**2]))
    ends = np.minimum(np.arange(len(heard)) + size, len(heard))
    norm = np.sqrt(np.maximum(energy[ends] - energy[: len(heard)], 1.0))
    bins = -(-len(heard) // (_BIN_MS * _MS))
    rows = np.zeros((len(starts), bins * _BIN_MS * _MS))
    for row, start in zip(rows, starts, strict=True):
        window = low[start : start + size].astype(np.float32)
        lagged = np.fft.irfft(spectrum * np.conj(np.fft.rfft(window, length)), length)
        row[: len(heard)] = lagged[: len(heard)] / (norm * np.sqrt(np.sum(window**2)))
    best: Floats = rows.reshape(len(starts), bins, -1).max(axis=2)
    return best.clip(0.0, 1.0)


def _path(scores: Floats, apart_ms: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The place of each window on the best way through them all."""
    count, bins = scores.shape
    before = np.zeros((count, bins), np.int64)
    total = scores[0].copy()
    for number in range(1, count):
        least = max(1, (int(apart_ms[number - 1]) - SHORTER_MS) // _BIN_MS)
        most = (int(apart_ms[number - 1]) + LONGER_MS) // _BIN_MS
        total, before[number] = _best_before(total, least, most)
        total += scores[number]
    path = [int(np.argmax(total))]
    for number in range(count - 1, 0, -1):
        path.append(int(before[number, path[-1]]))
    return np.array(path[::-1])


def _best_before(total: Floats, least: int, most: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    """For each bin, the best of those `least` to `most` bins before it, and which it is."""
    padded = np.concatenate([np.full(most, -np.inf), total])
    windows = np.lib.stride_tricks.sliding_window_view(padded, most - least + 1)[: len(total)]
    best = np.argmax(windows, axis=1)
    highest = windows[np.arange(len(total)), best]
    return highest, np.maximum(best + np.arange(len(total)) - most, 0)
