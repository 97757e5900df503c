"""Random weights written straight in llama.cpp's k-quants, for models of a true size.

A block holds 256 weights. Here its quants are random bits and its scales constant, so that the
weights have mean 0 (nearly) and the deviation asked for. Computing with them takes as long as
with those of a trained model, and a file of gigabytes is made in seconds without any floats.
"""

from __future__ import annotations

import gguf
import numpy as np
from numpy.typing import NDArray

BLOCK = 256

# Q4_K: weight = d * 32 * q - dmin * 60 * 1, with q of 4 bits. Eight pairs of scale and minimum,
# 6 bits each, packed in llama.cpp's way; all pairs are 32 and 60.
_SCALE, _MINIMUM = 32, 60
_PAIRS = np.array([0b10_100000] * 4 + [0b11_111100] * 4 + [0b1100_0000] * 4, np.uint8)
_MEAN_Q4, _DEVIATION_Q4 = 7.5, 4.61
# Q6_K: weight = d * 64 * (q - 32), with q of 6 bits.
_SCALE_Q6, _DEVIATION_Q6 = 64, 18.5


def q4_k(
    shape: tuple[int, ...], deviation: float, random: np.random.Generator
) -> NDArray[np.uint8]:
    """A matrix `[rows, columns]`, columns a multiple of 256, as bytes `[rows, bytes]`."""
    d = deviation / (_DEVIATION_Q4 * _SCALE)
    blocks = _random_blocks(shape, gguf.GGMLQuantizationType.Q4_K, random)
    blocks[:, 0:2] = _half(d)
    blocks[:, 2:4] = _half(d * _SCALE * _MEAN_Q4 / _MINIMUM)
    blocks[:, 4:16] = _PAIRS
    return blocks.reshape(shape[0], -1)


def q6_k(
    shape: tuple[int, ...], deviation: float, random: np.random.Generator
) -> NDArray[np.uint8]:
    """The same in six bits."""
    blocks = _random_blocks(shape, gguf.GGMLQuantizationType.Q6_K, random)
    blocks[:, 192:208] = _SCALE_Q6
    blocks[:, 208:210] = _half(deviation / (_DEVIATION_Q6 * _SCALE_Q6))
    return blocks.reshape(shape[0], -1)


def is_six_bits(name: str, layer: int, layers: int) -> bool:
    """Whether `Q4_K_M` spends six bits on this matrix, as llama.cpp's own quantizer does."""
    if name in ("output", "token_embd"):
        return True
    eighth = layers // 8
    is_favoured = layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2
    return name in ("attn_v", "ffn_down") and is_favoured


def _random_blocks(
    shape: tuple[int, ...], kind: gguf.GGMLQuantizationType, random: np.random.Generator
) -> NDArray[np.uint8]:
    rows, columns = shape
    if columns % BLOCK:
        raise ValueError(f"a row of {columns} weights is not made of blocks of {BLOCK}")
    _, size = gguf.GGML_QUANT_SIZES[kind]
    count = rows * columns // BLOCK
    return np.frombuffer(bytearray(random.bytes(count * size)), np.uint8).reshape(count, size)


def _half(value: float) -> NDArray[np.uint8]:
    return np.array([value], np.float16).view(np.uint8)
