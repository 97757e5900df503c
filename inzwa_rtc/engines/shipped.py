"""What is known of the engines that come with this package, without importing them."""

from __future__ import annotations

from dataclasses import dataclass

from inzwa_rtc.engines.contracts import EngineKind


@dataclass(frozen=True, slots=True)
class Shipped:
    """An engine of ours: the extra that installs it, the module by which one sees that it is
    installed, the licence of what it drives, and what it is good for."""

    kind: EngineKind
    name: str
    extra: str
    module: str
    licence: str
    summary: str


SHIPPED: tuple[Shipped, ...] = (
    Shipped(
        "asr", "pocketsphinx", "embedded", "pocketsphinx", "BSD-2-Clause",
        "the guide's own phrases, English; no download; streams",
    ),
    Shipped(
        "asr", "faster-whisper", "whisper", "faster_whisper", "MIT",
        "Whisper on CTranslate2, INT8 or GPU; partials, words, hotwords, translates to English",
    ),
    Shipped(
        "asr", "whisper.cpp", "whispercpp", "pywhispercpp", "MIT",
        "Whisper in ggml; partials, hotwords, translates to English; stops at once",
    ),
    Shipped(
        "asr", "openai-whisper", "openai-whisper", "whisper", "MIT",
        "Whisper on PyTorch, in an environment of its own",
    ),
    Shipped(
        "asr", "openai", "openai", "openai", "Apache-2.0",
        "any server with OpenAI's transcription API; sends the callers' audio there",
    ),
    Shipped(
        "llm", "scripted", "embedded", "inzwa_rtc", "Apache-2.0",
        "the Inzwa guide, English; no download",
    ),
    Shipped(
        "llm", "llama-cpp", "llama", "xllamacpp", "MIT",
        "GGUF models with LoRA adapters; several calls at once, reads ahead as the caller speaks",
    ),
    Shipped(
        "llm", "openai", "openai", "openai", "Apache-2.0",
        "any server with OpenAI's chat API (vLLM, llama-server, OpenAI); sends the words there",
    ),
    Shipped(
        "llm", "ollama", "ollama", "ollama", "MIT",
        "an Ollama server; sends the words there",
    ),
    Shipped(
        "tts", "espeak", "embedded", "espeakng_loader", "GPL-3.0-or-later",
        "many languages, robotic; no download; word times; streams",
    ),
)  # fmt: skip
"""In the order in which they are listed."""


def shipped(kind: EngineKind, name: str) -> Shipped | None:
    """What is known of the engine, None for one that is not ours."""
    return next((one for one in SHIPPED if (one.kind, one.name) == (kind, name)), None)
