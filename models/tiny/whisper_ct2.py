"""A Whisper model of random weights in the format of CTranslate2, as faster-whisper loads it.

620 KB, made within a second. `python -m models.tiny.whisper_ct2 DIRECTORY` makes one by hand.
The size is free, so that benchmarks can make one of the true architecture of `base` or `small`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.tiny.whisper_script import TEXT_CONTEXT, Script

LANGUAGES = 99  # of the multilingual models before large-v3
TIMESTAMPS = 1501  # 0.00 to 30.00 s in steps of 20 ms
FRAMES = 1500  # the encoder's positions: 30 s


@dataclass(frozen=True, slots=True)
class Size:
    """The measures of a Whisper model; `tokens` is the number of text tokens."""

    width: int
    layers: int
    heads: int
    tokens: int = 257


# The true measures; all of them have 50,257 text tokens.
ARCHITECTURES = {
    "tiny": Size(width=384, layers=4, heads=6, tokens=50_257),
    "base": Size(width=512, layers=6, heads=8, tokens=50_257),
    "small": Size(width=768, layers=12, heads=12, tokens=50_257),
}
TINY = Size(width=32, layers=1, heads=2)


def make(
    folder: Path,
    size: Size = TINY,
    *,
    seed: int = 0,
    quantization: str = "float32",
    is_multilingual: bool = True,
    script: Script | None = None,
) -> Path:
    """Write a model into `folder`, which is made; returns it. With a `script` it writes that,
    whatever it hears."""
    import ctranslate2.specs as specs  # needed by whoever makes one only

    folder.mkdir(parents=True, exist_ok=True)
    words = vocabulary(size.tokens, is_multilingual=is_multilingual)
    spec = specs.WhisperSpec(size.layers, size.heads, size.layers, size.heads)
    _fill(spec, size, len(words), np.random.default_rng(seed))
    if script is not None:
        decoder = spec.decoder
        decoder.position_encodings.encodings = script.positions(
            decoder.embeddings.weight, words.index("<|endoftext|>")
        )
    first_language = words.index("<|startoftranscript|>") + 1
    spec.config.lang_ids = list(range(first_language, first_language + LANGUAGES))
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [words.index("<|endoftext|>")]
    spec.config.alignment_heads = [(size.layers - 1, head) for head in range(size.heads)]
    spec.register_vocabulary(words)
    spec.validate()
    spec.optimize(quantization=quantization)
    spec.save(str(folder))
    write_tokenizer(folder / "tokenizer.json", words)
    (folder / "preprocessor_config.json").write_text(json.dumps({"feature_size": 80}))
    return folder


def vocabulary(tokens: int, *, is_multilingual: bool = True) -> list[str]:
    """Byte tokens, invented longer ones up to `tokens`, then Whisper's special tokens."""
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    texts = list(byte_alphabet().values())
    # By an empty token CTranslate2 knows a multilingual model.
    texts.append("" if is_multilingual else "ww")
    texts += [f"w{number}" for number in range(tokens - len(texts))]
    return [
        *texts,
        "<|endoftext|>",
        "<|startoftranscript|>",
        *(f"<|{code}|>" for code in _LANGUAGE_CODES[:LANGUAGES]),
        "<|translate|>",
        "<|transcribe|>",
        "<|startoflm|>",
        "<|startofprev|>",
        "<|nospeech|>",
        "<|notimestamps|>",
        *(f"<|{step * 0.02:.2f}|>" for step in range(TIMESTAMPS)),
    ]


def byte_alphabet() -> dict[int, str]:
    """The printable character that byte-level BPE writes for each byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = {byte: chr(byte) for byte in printable}
    letters |= {byte: chr(256 + place) for place, byte in enumerate(others)}
    return letters


def write_tokenizer(path: Path, words: list[str]) -> None:
    """A byte-level tokenizer without merges, in the format of Hugging Face's tokenizers."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    end = words.index("<|endoftext|>")
    text = {word: number for number, word in enumerate(words[:end])}
    tokenizer = Tokenizer(models.BPE(vocab=text, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(word, special=True) for word in words[end:]])
    tokenizer.save(str(path))


def _fill(spec: Any, size: Size, vocabulary_size: int, random: np.random.Generator) -> None:
    width = size.width

    def weights(*shape: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        scale = 1 / np.sqrt(shape[-1])
        return random.normal(0, scale, shape).astype(np.float32)

    def linear(layer: Any, outputs: int, inputs: int) -> None:
        layer.weight = weights(outputs, inputs)
        layer.bias = np.zeros(outputs, np.float32)

    def norm(layer: Any) -> None:
        layer.gamma, layer.beta = np.ones(width, np.float32), np.zeros(width, np.float32)

    def attention(layer: Any, *, crossed: bool = False) -> None:
        norm(layer.layer_norm)
        if crossed:
            linear(layer.linear[0], width, width)
            linear(layer.linear[1], 2 * width, width)
            linear(layer.linear[2], width, width)
        else:
            linear(layer.linear[0], 3 * width, width)
            linear(layer.linear[1], width, width)

    def feed_forward(layer: Any) -> None:
        norm(layer.layer_norm)
        linear(layer.linear_0, 4 * width, width)
        linear(layer.linear_1, width, 4 * width)

    encoder, decoder = spec.encoder, spec.decoder
    encoder.conv1.weight = weights(width, 80, 3)
    encoder.conv2.weight = weights(width, width, 3)
    encoder.conv1.bias = encoder.conv2.bias = np.zeros(width, np.float32)
    encoder.position_encodings.encodings = weights(FRAMES, width)
    decoder.embeddings.weight = weights(vocabulary_size, width)
    decoder.position_encodings.encodings = weights(TEXT_CONTEXT, width)
    decoder.projection.weight = decoder.embeddings.weight
    norm(encoder.layer_norm)
    norm(decoder.layer_norm)
    for layer in encoder.layer:
        attention(layer.self_attention)
        feed_forward(layer.ffn)
    for layer in decoder.layer:
        attention(layer.self_attention)
        attention(layer.attention, crossed=True)
        feed_forward(layer.ffn)


if __name__ == "__main__":
    print(make(Path(sys.argv[1])))  # noqa: T201
