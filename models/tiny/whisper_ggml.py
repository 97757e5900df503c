"""A Whisper model of random weights in the format of whisper.cpp (ggml, not GGUF).

4 MB, most of it the embeddings of the 51,865 tokens whose places whisper.cpp takes for given;
made within a second. `python -m models.tiny.whisper_ggml FILE` makes one by hand. The size is
free, so that benchmarks can make one of the true architecture of `base` or `small`.

Matrices are float16: the loader takes a file of float32 alone as well, but its convolutions do
not, and end the process.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from models.tiny.whisper_script import TEXT_CONTEXT, Script

MAGIC = 0x67676D6C
MULTILINGUAL_TOKENS = 51_865  # one fewer in the models that know English only
TEXT_TOKENS = 50_257  # before the special ones, which the loader makes up by itself
BANDS, FILTERS = 80, 201
FRAMES = 1500

_FLOAT32, _FLOAT16 = 0, 1
_KEPT_WHOLE = ("bias", "positional_embedding")  # float32, as vectors are

Weights = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Size:
    """The measures of a Whisper model. Two layers would pass for a distilled one."""

    width: int
    layers: int
    heads: int


# The true measures.
ARCHITECTURES = {
    "tiny": Size(width=384, layers=4, heads=6),
    "base": Size(width=512, layers=6, heads=8),
    "small": Size(width=768, layers=12, heads=12),
}
TINY = Size(width=32, layers=1, heads=2)


def make(
    file: Path,
    size: Size = TINY,
    *,
    seed: int = 0,
    is_multilingual: bool = True,
    like: str = "f16",
    script: Script | None = None,
) -> Path:
    """Write a model; returns its path. `like` is the type of its matrices: f16 or f32. With a
    `script` it writes that, whatever it hears."""
    random = np.random.default_rng(seed)
    tokens = MULTILINGUAL_TOKENS if is_multilingual else MULTILINGUAL_TOKENS - 1
    with file.open("wb") as out:
        _integers(out, MAGIC, tokens, FRAMES, size.width, size.heads, size.layers)
        _integers(out, TEXT_CONTEXT, size.width, size.heads, size.layers, BANDS)
        _integers(out, _FLOAT16 if like == "f16" else _FLOAT32)
        _integers(out, BANDS, FILTERS)
        out.write(_filters().tobytes())
        words = vocabulary()[: TEXT_TOKENS if is_multilingual else TEXT_TOKENS - 1]
        _integers(out, len(words))
        for word in words:
            _integers(out, len(word))
            out.write(word)
        end = len(words)  # the first of the special tokens ends the text
        for name, weights in _tensors(size, tokens, random, script, end):
            _tensor(out, name, weights, is_half=like == "f16")
    return file


def vocabulary() -> list[bytes]:
    """A token for each byte, invented longer ones, and the empty one of multilingual models."""
    single = [bytes([byte]) for byte in range(256)]
    invented = [f" w{number}".encode() for number in range(TEXT_TOKENS - 1 - len(single))]
    return [*single, *invented, b""]


def _integers(out: BinaryIO, *numbers: int) -> None:
    out.write(struct.pack(f"<{len(numbers)}i", *numbers))


def _filters() -> Weights:
    """Triangles evenly spread over the bands: not the mel scale, which nothing here needs."""
    centres = np.linspace(2, FILTERS - 2, BANDS)[:, None]
    triangles = np.maximum(0, 1 - np.abs(np.arange(FILTERS) - centres) / 3) / 3
    return triangles.astype(np.float32)


def _tensor(out: BinaryIO, name: str, weights: Weights, *, is_half: bool) -> None:
    is_half = is_half and weights.ndim > 1 and not name.endswith(_KEPT_WHOLE)
    data = weights.astype(np.float16 if is_half else np.float32)
    _integers(out, data.ndim, len(name), _FLOAT16 if is_half else _FLOAT32)
    _integers(out, *reversed(data.shape))
    out.write(name.encode())
    out.write(data.tobytes())


def _tensors(
    size: Size, tokens: int, random: np.random.Generator, script: Script | None, end: int
) -> Iterator[tuple[str, Weights]]:
    width = size.width

    def weights(*shape: int) -> Weights:
        return random.normal(0, 1 / np.sqrt(shape[-1]), shape).astype(np.float32)

    def norm(name: str) -> Iterator[tuple[str, Weights]]:
        yield f"{name}.weight", np.ones(width, np.float32)
        yield f"{name}.bias", np.zeros(width, np.float32)

    def linear(name: str, outputs: int, inputs: int) -> Iterator[tuple[str, Weights]]:
        yield f"{name}.weight", weights(outputs, inputs)
        if not name.endswith(".key"):
            yield f"{name}.bias", np.zeros(outputs, np.float32)

    def attention(name: str) -> Iterator[tuple[str, Weights]]:
        yield from norm(f"{name}_ln")
        for part in ("query", "key", "value", "out"):
            yield from linear(f"{name}.{part}", width, width)

    yield "encoder.positional_embedding", weights(FRAMES, width)
    for name, inputs in (("conv1", BANDS), ("conv2", width)):
        yield f"encoder.{name}.weight", weights(width, inputs, 3) / np.float32(np.sqrt(inputs))
        yield f"encoder.{name}.bias", np.zeros((width, 1), np.float32)
    yield from norm("encoder.ln_post")
    positions, embedding = weights(TEXT_CONTEXT, width), weights(tokens, width)
    if script is not None:
        positions = script.positions(embedding, end)
    yield "decoder.positional_embedding", positions
    yield "decoder.token_embedding.weight", embedding
    yield from norm("decoder.ln")
    for part in ("encoder", "decoder"):
        for layer in range(size.layers):
            block = f"{part}.blocks.{layer}"
            yield from attention(f"{block}.attn")
            if part == "decoder":
                yield from attention(f"{block}.cross_attn")
            yield from norm(f"{block}.mlp_ln")
            yield from linear(f"{block}.mlp.0", 4 * width, width)
            yield from linear(f"{block}.mlp.2", width, 4 * width)


if __name__ == "__main__":
    print(make(Path(sys.argv[1])))  # noqa: T201
