"""Silero's voice detector (v6, 16 kHz) as a network over many streams at once, in NumPy.

Each stream is heard in windows of 512 samples. What the network remembers of it, two vectors of
128 numbers and the last 64 samples, is a row of this object's; the windows of many streams pass
together, which takes a fifth of the time that they take one by one.

| step | of one window |
|---|---|
| 576 samples, mirrored at the end to 640 | 4 spectra of 256 samples, 128 apart: 129 magnitudes |
| encoder | convolutions of width 3: 4 x 128, 2 x 64, 1 x 64, 1 x 128, each cut off below zero |
| decoder | one recurrent layer (LSTM) of 128, one sum, one probability |

The spectra are products with the network's own table of cosines and sines. It is symmetric, so
that samples that meet the same number are added first: half of the multiplications.
A window without a single sound makes the same 128 numbers each time: of it only the decoder is
reckoned.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from inzwa_rtc.turntaking.weights import Floats, Weights, installed, read, unusable

WINDOW: Final = 512
"""Samples at 16 kHz that are judged together: 32 ms."""

_CONTEXT: Final = 64
_HELD: Final = 128
_SPECTRUM: Final = 129
_SCALE: Final = np.float32(1 / 32768)
_FIRST_ROWS: Final = 8  # grows by doubling
_FEW: Final = 3  # up to so many rows one by one are quicker than together

Windows = NDArray[np.int16]
Rows = NDArray[np.intp]


def load() -> Silero:
    """The network with the installed weights, from a file of 0.9 MB. Raises `ConfigError`.

    NumPy multiplies with one thread in this process from now on. With more, products as small
    as these take longer, and their threads wait in loops that take other calls' time.
    """
    threadpool_limits(1, "blas")
    return Silero(read(installed().read_bytes()))


class Silero:
    """`begin` a stream, give its windows in order to `probabilities`, `end` it. Not to be used
    by several threads at a time."""

    def __init__(self, weights: Weights) -> None:
        self.windows = 0
        """That were judged so far."""
        self.silent_windows = 0
        """Those among them without a sound."""
        self._layers = _Layers(weights)
        self._work = _Work(_FIRST_ROWS)
        self._hidden = np.zeros((_FIRST_ROWS, _HELD), np.float32)
        self._cell = np.zeros((_FIRST_ROWS, _HELD), np.float32)
        self._context = np.zeros((_FIRST_ROWS, _CONTEXT), np.float32)
        self._free = list(range(_FIRST_ROWS))[::-1]
        silence = np.zeros((1, WINDOW), np.int16)
        self._silence = self._encoded(silence, np.zeros((1, _CONTEXT), np.float32)).copy()

    def begin(self) -> int:
        """A row for a new stream."""
        if not self._free:
            self._grow()
        row = self._free.pop()
        self.reset(row)
        return row

    def reset(self, row: int) -> None:
        """Forget what was heard in it."""
        for state in (self._hidden, self._cell, self._context):
            state[row] = 0

    def end(self, row: int) -> None:
        """The stream is over; another one may have its row."""
        self._free.append(row)

    def probabilities(self, windows: Windows, rows: Rows) -> Floats:
        """How probable speech is in the next windows of these streams, 0 to 1.

        `windows` is int16 mono 16 kHz, [n, 512], row by row in memory; `rows` are n of `begin`'s.
        Where a stream has several windows, one row is named several times: all streams' first
        windows come first, then the second ones of those that have two, and so on, the streams
        in the same order, those with the most windows before the others.
        """
        count = len(rows)
        if count > self._work.rows:
            self._work = _Work(max(count, 2 * self._work.rows))
        begins = np.flatnonzero(rows == rows[0]).tolist()
        steps = [slice(*ends) for ends in pairwise((*begins, count))]
        context = self._contexts(windows, rows, steps)
        heard = self._has_sound(windows, context)
        features = self._work.features[:count]
        if heard.all():
            features[:] = self._encoded(windows, context)
        else:
            features[:] = self._silence
            if heard.any():
                features[heard] = self._encoded(windows[heard], context[heard])
        self.windows += count
        self.silent_windows += count - int(np.count_nonzero(heard))
        if len(steps) == 1:
            return self._decoded(features, rows)
        return np.concatenate([self._decoded(features[step], rows[step]) for step in steps])

    def _contexts(self, windows: Windows, rows: Rows, steps: Sequence[slice]) -> Floats:
        """The samples before each window, [n, 64]; the last ones of each stream are kept."""
        context: Floats = np.empty((len(rows), _CONTEXT), np.float32)
        context[steps[0]] = self._context[rows[steps[0]]]
        for before, step in pairwise(steps):
            same = windows[before][: step.stop - step.start, -_CONTEXT:]
            np.multiply(same, _SCALE, out=context[step])
        for step in steps:
            self._context[rows[step]] = windows[step, -_CONTEXT:] * _SCALE
        return context

    def _has_sound(self, windows: Windows, context: Floats) -> NDArray[np.bool_]:
        has: NDArray[np.bool_] = np.any(windows.view(np.int64), axis=1)
        has |= np.any(context, axis=1)
        return has

    def _encoded(self, windows: Windows, context: Floats) -> Floats:
        """What the recurrent layer is given of each window, [n, 128]; overwritten by the next."""
        count, work, layers = len(windows), self._work, self._layers
        spectra = np.matmul(
            work.folded(windows, context), layers.basis, out=work.spectra[:, : 4 * count]
        )
        np.multiply(spectra, spectra, out=spectra)
        magnitudes = work.magnitudes[:count, 1:5]
        squares = spectra.reshape(2, count, 4, _SPECTRUM)
        np.add(squares[0], squares[1], out=magnitudes)
        np.sqrt(magnitudes, out=magnitudes)
        first = layers.first(work.first_columns(count), work.first_out[: 4 * count])
        work.first[:count, 1:5] = first.reshape(count, 4, _HELD)
        second = layers.second(work.second_columns(count), work.second_out[: 2 * count])
        third = layers.third(second.reshape(count, _HELD), work.third_out[:count])
        return layers.fourth(third, work.fourth_out[:count])

    def _decoded(self, features: Floats, rows: Rows) -> Floats:
        count, work, layers = len(rows), self._work, self._layers
        recurrent, gates = work.recurrent[:count], work.gates[:count]
        recurrent[:, :_HELD] = features
        recurrent[:, _HELD:] = self._hidden[rows]
        if count <= _FEW:
            np.matmul(recurrent[:, None], layers.recurrent, out=gates[:, None])
        else:
            np.matmul(recurrent, layers.recurrent, out=gates)
        gates += layers.recurrent_bias
        # All gates but the third are 1 / (1 + exp(-x)), which is (tanh(x / 2) + 1) / 2: one
        # function for the whole row. The halves within it are in the weights.
        np.tanh(gates, out=gates)
        enter, keep, new, show = (gates[:, at : at + _HELD] for at in range(0, 4 * _HELD, _HELD))
        cell = self._cell[rows]
        keep += 1
        enter += 1
        cell *= keep
        enter *= new
        cell += enter
        cell *= np.float32(0.5)
        self._cell[rows] = cell
        hidden = np.tanh(cell, out=cell)
        show += 1
        hidden *= show
        hidden *= np.float32(0.5)
        self._hidden[rows] = hidden
        np.maximum(hidden, 0, out=hidden)
        out: Floats = hidden @ layers.last
        out += layers.last_bias
        np.negative(out, out=out)
        np.exp(out, out=out)
        out += 1
        return np.reciprocal(out, out=out)

    def _grow(self) -> None:
        rows = len(self._hidden)
        self._hidden, self._cell, self._context = (
            np.concatenate([state, np.zeros_like(state)])
            for state in (self._hidden, self._cell, self._context)
        )
        self._free = list(range(rows, 2 * rows))[::-1]


class _Layer:
    """A product, a sum, and nothing below zero."""

    def __init__(self, matrix: Floats, bias: Floats) -> None:
        self._matrix = np.ascontiguousarray(matrix)
        self._bias = bias

    def __call__(self, given: Floats, out: Floats) -> Floats:
        np.matmul(given, self._matrix, out=out)
        out += self._bias
        return np.maximum(out, 0, out=out)


class _Layers:
    """The weights as the products want them."""

    def __init__(self, weights: Weights) -> None:
        half = WINDOW // 4
        cosines, sines = weights.basis[:_SPECTRUM], weights.basis[_SPECTRUM:]
        # Columns 1 to 127 mirror 255 to 129; column 0 is nothing but zeros, 128 the middle.
        mirrored = (
            np.array_equal(cosines[:, 1:half], cosines[:, :half:-1])
            and np.array_equal(sines[:, 1:half], -sines[:, :half:-1])
            and not cosines[:, 0].any()
            and not sines[:, [0, half]].any()
        )
        if not mirrored:
            raise unusable("the table of cosines and sines is not symmetric")
        self.basis = np.stack([cosines[:, 1 : half + 1].T, sines[:, 1 : half + 1].T])
        flat = [
            (matrix.transpose(2, 1, 0).reshape(-1, len(bias)), bias)
            for matrix, bias in weights.encoder
        ]
        self.first = _Layer(*flat[0])
        self.second = _Layer(*flat[1])
        # Two columns are left when the third comes, and one for the fourth; beyond them is nothing.
        self.third = _Layer(flat[2][0][64:], flat[2][1])
        self.fourth = _Layer(flat[3][0][64:128], flat[3][1])
        scale = np.full(4 * _HELD, 0.5, np.float32)
        scale[2 * _HELD : 3 * _HELD] = 1
        both = np.concatenate([weights.input.T, weights.hidden.T])
        self.recurrent = np.ascontiguousarray(both * scale)
        self.recurrent_bias = weights.bias * scale
        self.last = weights.last
        self.last_bias = np.float32(weights.last_bias)


class _Work:
    """Where the numbers of up to `rows` windows lie while they are reckoned with."""

    def __init__(self, rows: int) -> None:
        def room(*shape: int) -> Floats:
            return np.zeros(shape, np.float32)

        self.rows = rows
        self.spectra = room(2, 4 * rows, _SPECTRUM)
        # Before the first and after the last of what a convolution takes, there is zero.
        self.magnitudes = room(rows, 6, _SPECTRUM)
        self.first_out = room(4 * rows, _HELD)
        self.first = room(rows, 6, _HELD)
        self.second_out = room(2 * rows, 64)
        self.third_out = room(rows, 64)
        self.fourth_out = room(rows, _HELD)
        self.features = room(rows, _HELD)
        self.recurrent = room(rows, 2 * _HELD)
        self.gates = room(rows, 4 * _HELD)
        self._samples = room(rows, _CONTEXT + WINDOW + _CONTEXT)
        self._frames = _overlapping(self._samples, 4, 2 * _HELD, _HELD)
        self._folded = room(2, 4 * rows, WINDOW // 4)
        self._first_columns = room(rows, 4, 3 * _SPECTRUM)
        self._second_columns = room(rows, 2, 3 * _HELD)
        self._first_places = _overlapping(self.magnitudes, 4, 3 * _SPECTRUM, _SPECTRUM)
        self._second_places = _overlapping(self.first, 2, 3 * _HELD, 2 * _HELD)

    def folded(self, windows: Windows, context: Floats) -> Floats:
        """Sums of the samples that meet the same cosine, and differences of those that meet
        opposite sines: [2, 4n, 128]."""
        count = len(windows)
        samples = self._samples[:count]
        samples[:, :_CONTEXT] = context
        np.multiply(windows, _SCALE, out=samples[:, _CONTEXT:-_CONTEXT])
        samples[:, -_CONTEXT:] = samples[:, -_CONTEXT - 2 : -2 * _CONTEXT - 2 : -1]
        frames = self._frames[:count]
        folded = self._folded[:, : 4 * count]
        sums, differences = folded.reshape(2, count, 4, _HELD)
        left, right = frames[:, :, 1:_HELD], frames[:, :, :_HELD:-1]
        np.add(left, right, out=sums[:, :, :-1])
        sums[:, :, -1] = frames[:, :, _HELD]
        np.subtract(left, right, out=differences[:, :, :-1])
        return folded

    def first_columns(self, count: int) -> Floats:
        """Three magnitudes beside each other, for each of four places."""
        columns = self._first_columns[:count]
        columns[:] = self._first_places[:count]
        return columns.reshape(4 * count, 3 * _SPECTRUM)

    def second_columns(self, count: int) -> Floats:
        """Three results of the first layer, for every other place."""
        columns = self._second_columns[:count]
        columns[:] = self._second_places[:count]
        return columns.reshape(2 * count, 3 * _HELD)


def _overlapping(rows: Floats, pieces: int, size: int, step: int) -> Floats:
    """Of each row, pieces of `size` numbers that begin `step` numbers apart: a view."""
    strides = (rows.strides[0], step * rows.itemsize, rows.itemsize)
    return as_strided(rows, (len(rows), pieces, size), strides, writeable=False)
