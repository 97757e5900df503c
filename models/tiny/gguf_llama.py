"""A Llama of random weights in GGUF, as llama.cpp loads it, and LoRA adapters for it.

160 KB, made within 20 ms. `python -m models.tiny.gguf_llama FILE` makes one by hand. The
size is free, so that benchmarks can make one of a true architecture.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

from models.tiny.k_quants import is_six_bits, q4_k, q6_k

TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
_IN_TURN = (
    "{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception("
    "'Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
)
# As strict as the true ones, and no longer than that.
MISTRAL = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
    "{% set system = messages[0]['content'] + '\n\n' %}{% set turns = messages[1:] %}"
    "{% else %}{% set system = '' %}{% set turns = messages %}{% endif %}"
    "{% for m in turns %}" + _IN_TURN + "{% if m['role'] == 'user' %}"
    "[INST] {% if loop.first %}{{ system }}{% endif %}{{ m['content'] }} [/INST]"
    "{% else %} {{ m['content'] }}</s>{% endif %}{% endfor %}"
)
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}" + _IN_TURN + "<|{{ m['role'] }}|>{{ m['content'] | trim }}</s>"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
QWEN = TEMPLATE + (
    "{% if add_generation_prompt and enable_thinking is defined and enable_thinking is false %}"
    "<think>\n\n</think>\n\n{% endif %}"
)
# As Hermes and Qwen have tools.
TOOLS = (
    "{% if tools %}<|system|># Tools\n<tools>{% for tool in tools %}\n{{ tool | tojson }}"
    "{% endfor %}\n</tools>\nFor each call return <tool_call>\n"
    '{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call></s>{% endif %}'
    "{% for m in messages %}{% if m.role == 'tool' %}"
    "<|user|><tool_response>\n{{ m.content }}\n</tool_response></s>"
    "{% else %}<|{{ m.role }}|>{{ m.content or '' }}{% for c in m.tool_calls or [] %}"
    '\n<tool_call>\n{"name": "{{ c.function.name }}", "arguments": '
    "{{ c.function.arguments | tojson }}}\n</tool_call>{% endfor %}</s>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
DEEPSEEK = TEMPLATE + "{% if add_generation_prompt %}<think>\n{% endif %}"
_FILE_TYPES = {"F32": "ALL_F32"}
_NORMAL, _CONTROL, _BYTE = 1, 3, 6  # llama.cpp's kinds of token


@dataclass(frozen=True, slots=True)
class Size:
    """The measures of a Llama."""

    width: int = 64
    layers: int = 2
    heads: int = 4
    inner: int = 128
    words: int = 0
    """Tokens beside the bytes and the special ones: each of ` w0`, ` w1` and so on is one."""
    groups: int | None = None
    """Heads of keys and values; None for as many as `heads`."""
    head: int | None = None
    """Dimensions of a head; None for `width // heads`."""
    is_tied: bool = False
    """Whether the output layer's weights are those of the embedding."""

    @property
    def head_width(self) -> int:
        """Dimensions of a head."""
        return self.head or self.width // self.heads

    @property
    def key_heads(self) -> int:
        """Heads of keys and values."""
        return self.groups or self.heads


# The measures of models that people use; all of them are run as a Llama here. What that leaves
# out of the others (norms after a layer, soft caps) is less than a hundredth of the work.
ARCHITECTURES = {
    # Llama 3.2 1B
    "1b": Size(2048, 16, 32, 8192, words=127_993, groups=8, is_tied=True),
    # Qwen 3 1.7B
    "1.7b": Size(2048, 28, 16, 6144, words=151_673, groups=8, head=128, is_tied=True),
    # Gemma 2 2B
    "2b": Size(2304, 26, 8, 9216, words=255_737, groups=4, head=256, is_tied=True),
}


def make(
    path: Path,
    size: Size | None = None,
    *,
    seed: int = 0,
    context: int = 4096,
    like: str = "F32",
    template: str = TEMPLATE,
) -> Path:
    """Write a model; returns its path. `like` is the type of its matrices: F32, F16, Q8_0, or
    Q4_K_M, a mixture for widths that are multiples of 256. `template` is for its dialogues."""
    size = size or Size()
    writer = gguf.GGUFWriter(str(path), "llama")
    tokens, kinds = vocabulary(size)
    describe(writer, size, tokens, kinds, context=context, template=template, like=like)
    random = np.random.default_rng(seed)
    for name, shape in tensors(size, len(tokens)):
        if len(shape) == 1:
            writer.add_tensor(name, np.ones(shape, np.float32))
        elif like == "Q4_K_M":
            data, matrix_type = _mixed(name, shape, size, random)
            writer.add_tensor(name, data, raw_dtype=matrix_type)
        else:
            weights = random.normal(0, 1 / np.sqrt(shape[-1]), shape).astype(np.float32)
            matrix_type = gguf.GGMLQuantizationType[like]
            data = gguf.quants.quantize(weights, matrix_type)
            writer.add_tensor(name, data, raw_dtype=matrix_type)
    return close(writer, path)


def make_lora(
    path: Path,
    size: Size | None = None,
    *,
    rank: int = 2,
    seed: int = 1,
    architecture: str = "llama",
) -> Path:
    """Write a LoRA adapter that changes what a model of this size says; returns its path."""
    size = size or Size()
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, 8.0)
    for layer in range(size.layers):
        name = f"blk.{layer}.attn_q.weight"
        for part, shape in (("a", (rank, size.width)), ("b", (size.width, rank))):
            writer.add_tensor(f"{name}.lora_{part}", random.normal(0, 1, shape).astype(np.float32))
    return close(writer, path)


def describe(
    writer: gguf.GGUFWriter,
    size: Size,
    tokens: list[str],
    kinds: list[int],
    *,
    context: int,
    template: str,
    like: str = "F32",
) -> None:
    """Write all that the file says of the model but its weights."""
    writer.add_name("tiny")
    writer.add_file_type(gguf.LlamaFileType[_FILE_TYPES.get(like, f"MOSTLY_{like}")])
    writer.add_context_length(context)
    writer.add_embedding_length(size.width)
    writer.add_block_count(size.layers)
    writer.add_feed_forward_length(size.inner)
    writer.add_head_count(size.heads)
    writer.add_head_count_kv(size.key_heads)
    writer.add_key_length(size.head_width)
    writer.add_value_length(size.head_width)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(size.head_width)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_chat_template(template)


def vocabulary(size: Size) -> tuple[list[str], list[int]]:
    """Tokens and their kinds."""
    special = ["<unk>", "<s>", "</s>", "<|system|>", "<|user|>", "<|assistant|>"]
    tokens = [*special, *(f"<0x{byte:02X}>" for byte in range(256))]
    kinds = [_CONTROL] * len(special) + [_BYTE] * 256
    # Text is put together from what is a token already, letter by letter.
    pieces = ["▁w", *(f"▁w{number}" for number in range(size.words))] if size.words else []
    return [*tokens, *pieces], kinds + [_NORMAL] * len(pieces)


def tensors(size: Size, tokens: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and shape `[outputs, inputs]` of each."""
    queries, keys = size.heads * size.head_width, size.key_heads * size.head_width
    yield "token_embd.weight", (tokens, size.width)
    yield "output_norm.weight", (size.width,)
    if not size.is_tied:
        yield "output.weight", (tokens, size.width)
    for layer in range(size.layers):
        block = f"blk.{layer}"
        yield f"{block}.attn_q.weight", (queries, size.width)
        yield f"{block}.attn_k.weight", (keys, size.width)
        yield f"{block}.attn_v.weight", (keys, size.width)
        yield f"{block}.attn_output.weight", (size.width, queries)
        yield f"{block}.ffn_gate.weight", (size.inner, size.width)
        yield f"{block}.ffn_up.weight", (size.inner, size.width)
        yield f"{block}.ffn_down.weight", (size.width, size.inner)
        yield f"{block}.attn_norm.weight", (size.width,)
        yield f"{block}.ffn_norm.weight", (size.width,)


def _mixed(
    name: str, shape: tuple[int, ...], size: Size, random: np.random.Generator
) -> tuple[NDArray[np.uint8], gguf.GGMLQuantizationType]:
    """A matrix as `Q4_K_M` has it, and its type."""
    *block, matrix, _ = name.split(".")
    layer = int(block[1]) if block else 0
    deviation = float(1 / np.sqrt(shape[-1]))
    if is_six_bits(matrix, layer, size.layers):
        return q6_k(shape, deviation, random), gguf.GGMLQuantizationType.Q6_K
    return q4_k(shape, deviation, random), gguf.GGMLQuantizationType.Q4_K


def close(writer: gguf.GGUFWriter, path: Path) -> Path:
    """Write the file; returns its path."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


if __name__ == "__main__":
    print(make(Path(sys.argv[1])))  # noqa: T201
