"""A Llama of random weights in GGUF, as llama.cpp loads it, and LoRA adapters for it.

160 KB, made within 20 ms. `python -m models.tiny.gguf_llama FILE` makes one by hand. The
size is free, so that benchmarks can make one of a true architecture.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
_NORMAL, _CONTROL, _BYTE = 1, 3, 6  # llama.cpp's kinds of token


@dataclass(frozen=True, slots=True)
class Size:
    """The measures of a Llama; heads have `width // heads` dimensions."""

    width: int = 64
    layers: int = 2
    heads: int = 4
    inner: int = 128
    words: int = 0
    """Tokens beside the bytes and the special ones."""


def make(
    path: Path, size: Size | None = None, *, seed: int = 0, context: int = 4096, like: str = "F32"
) -> Path:
    """Write a model; returns its path. `like` is the type of its matrices: F32, F16, Q8_0."""
    size = size or Size()
    writer = gguf.GGUFWriter(str(path), "llama")
    tokens, kinds = _vocabulary(size)
    writer.add_name("tiny")
    writer.add_context_length(context)
    writer.add_embedding_length(size.width)
    writer.add_block_count(size.layers)
    writer.add_feed_forward_length(size.inner)
    writer.add_head_count(size.heads)
    writer.add_head_count_kv(size.heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(size.width // size.heads)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_chat_template(TEMPLATE)
    matrix_type = gguf.GGMLQuantizationType[like]
    for name, weights in _tensors(size, len(tokens), np.random.default_rng(seed)):
        if weights.ndim == 1 or matrix_type is gguf.GGMLQuantizationType.F32:
            writer.add_tensor(name, weights)
        else:
            writer.add_tensor(
                name, gguf.quants.quantize(weights, matrix_type), raw_dtype=matrix_type
            )
    return _close(writer, path)


def make_lora(path: Path, size: Size | None = None, *, rank: int = 2, seed: int = 1) -> Path:
    """Write a LoRA adapter that changes what a model of this size says; returns its path."""
    size = size or Size()
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, 8.0)
    for layer in range(size.layers):
        name = f"blk.{layer}.attn_q.weight"
        for part, shape in (("a", (rank, size.width)), ("b", (size.width, rank))):
            writer.add_tensor(f"{name}.lora_{part}", random.normal(0, 1, shape).astype(np.float32))
    return _close(writer, path)


def _vocabulary(size: Size) -> tuple[list[str], list[int]]:
    special = ["<unk>", "<s>", "</s>", "<|system|>", "<|user|>", "<|assistant|>"]
    tokens = [*special, *(f"<0x{byte:02X}>" for byte in range(256))]
    kinds = [_CONTROL] * len(special) + [_BYTE] * 256
    tokens += [f"▁w{number}" for number in range(size.words)]
    return tokens, kinds + [_NORMAL] * size.words


def _tensors(
    size: Size, tokens: int, random: np.random.Generator
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    def weights(*shape: int) -> NDArray[np.float32]:
        return random.normal(0, 1 / np.sqrt(shape[-1]), shape).astype(np.float32)

    ones: Any = np.ones(size.width, np.float32)
    yield "token_embd.weight", weights(tokens, size.width)
    yield "output_norm.weight", ones
    yield "output.weight", weights(tokens, size.width)
    for layer in range(size.layers):
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            yield f"blk.{layer}.{part}.weight", weights(size.width, size.width)
        yield f"blk.{layer}.ffn_gate.weight", weights(size.inner, size.width)
        yield f"blk.{layer}.ffn_up.weight", weights(size.inner, size.width)
        yield f"blk.{layer}.ffn_down.weight", weights(size.width, size.inner)
        yield f"blk.{layer}.attn_norm.weight", ones
        yield f"blk.{layer}.ffn_norm.weight", ones


def _close(writer: gguf.GGUFWriter, path: Path) -> Path:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


if __name__ == "__main__":
    print(make(Path(sys.argv[1])))  # noqa: T201
