"""Models for benchmarks: the true architecture and file format, random weights.

They compute what trained ones do, in the same time, and understand nothing. Made once, within
seconds, and kept in a folder.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from models.tiny import gguf_llama, whisper_ct2, whisper_ggml
from models.tiny.whisper_script import Script

TOKENS = 20
"""What every Whisper model here writes of an utterance, whatever it hears."""

HOTWORD_TOKENS = (0, 72, 222)
"""Tokens of hotwords after which they do; `hotwords` makes them."""

_SPECIAL = 4  # start, language, task, no timestamps
_SCRIPT = Script(TOKENS, tuple(_SPECIAL + (count + 1 if count else 0) for count in HOTWORD_TOKENS))


def hotwords(tokens: int) -> list[str]:
    """Words of so many tokens in all: three each, for these models spell all text."""
    return ["ab"] * (tokens // 3)


def whisper_ct2_int8(folder: Path, size: str) -> Path:
    """For faster-whisper: `tiny`, `base` or `small`, INT8."""
    path = folder / f"whisper-{size}-int8"
    if not path.exists():
        making = _making(path)
        architecture = whisper_ct2.ARCHITECTURES[size]
        whisper_ct2.make(making, architecture, quantization="int8", script=_SCRIPT)
        making.rename(path)
    return path


def whisper_ggml_f16(folder: Path, size: str) -> Path:
    """For whisper.cpp, f16."""
    path = folder / f"ggml-{size}.bin"
    if not path.exists():
        making = _making(path)
        whisper_ggml.make(making, whisper_ggml.ARCHITECTURES[size], script=_SCRIPT)
        making.rename(path)
    return path


def llama_q4(folder: Path, size: str) -> Path:
    """For llama.cpp: `1b`, `1.7b` or `2b`, Q4_K_M."""
    path = folder / f"llama-{size}-q4_k_m.gguf"
    if not path.exists():
        making = _making(path)
        gguf_llama.make(making, gguf_llama.ARCHITECTURES[size], like="Q4_K_M")
        making.rename(path)
    return path


def _making(path: Path) -> Path:
    """Where to write it first: what was broken off is not taken for a model."""
    making = path.with_name(f"{path.name}.part")
    if making.is_dir():
        shutil.rmtree(making)
    path.parent.mkdir(parents=True, exist_ok=True)
    return making
