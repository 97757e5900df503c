"""What is known of the engines that come with this package, without importing them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from inzwa_rtc.engines.contracts import Ability, EngineKind


@dataclass(frozen=True, slots=True)
class Shipped:
    """An engine of ours: the extra that installs it, the module by which one sees that it is
    installed, the licence of what it drives, what it is good for, the languages that it knows,
    and what it can do at best."""

    kind: EngineKind
    name: str
    extra: str
    module: str
    licence: str
    summary: str
    languages: str
    abilities: tuple[Ability, ...]
    environment: Literal["the server's", "its own"] = "the server's"
    """Where it is installed: in one of its own where its pins conflict with the server's, or it
    brings what must not be there, such as torch."""


_WHISPER: tuple[Ability, ...] = (
    "partials", "word times", "detects language", "translates", "hotwords",
)  # fmt: skip
_OF_MODEL, _OF_SERVER = "those of the model", "those of the server's model"

SHIPPED: tuple[Shipped, ...] = (
    Shipped(
        "asr", "pocketsphinx", "embedded", "pocketsphinx", "BSD-2-Clause",
        "the guide's own phrases; no download",
        "en", ("partials",),
    ),
    Shipped(
        "asr", "faster-whisper", "whisper", "faster_whisper", "MIT",
        "Whisper on CTranslate2, INT8 or GPU",
        _OF_MODEL, _WHISPER,
    ),
    Shipped(
        "asr", "whisper.cpp", "whispercpp", "pywhispercpp", "MIT",
        "Whisper in ggml; stops at once",
        _OF_MODEL, _WHISPER,
    ),
    Shipped(
        "asr", "openai-whisper", "openai-whisper", "whisper", "MIT",
        "Whisper on PyTorch, in an environment of its own",
        _OF_MODEL, _WHISPER, "its own",
    ),
    Shipped(
        "asr", "openai", "openai", "openai", "Apache-2.0",
        "any server with OpenAI's transcription API; sends the callers' audio there",
        _OF_SERVER, _WHISPER,
    ),
    Shipped(
        "asr", "fixed", "embedded", "inzwa_rtc", "Apache-2.0",
        "the same words each time, for load tests",
        "that of its words", (),
    ),
    Shipped(
        "llm", "scripted", "embedded", "inzwa_rtc", "Apache-2.0",
        "the Inzwa guide; no download",
        "en", ("hangs up", "tools"),
    ),
    Shipped(
        "llm", "llama-cpp", "llama", "xllamacpp", "MIT",
        "GGUF models on llama.cpp; several calls at once",
        _OF_MODEL, ("adapters", "reads ahead", "probabilities", "tools"),
    ),
    Shipped(
        "llm", "openai", "openai", "openai", "Apache-2.0",
        "any server with OpenAI's chat API (vLLM, llama-server, OpenAI); sends the words there",
        _OF_SERVER, ("adapters", "probabilities", "tools"),
    ),
    Shipped(
        "llm", "ollama", "ollama", "ollama", "MIT",
        "an Ollama server; sends the words there",
        _OF_SERVER, ("probabilities", "tools"),
    ),
    Shipped(
        "llm", "fixed", "embedded", "inzwa_rtc", "Apache-2.0",
        "the same reply each time, for load tests",
        "that of its reply", (),
    ),
    Shipped(
        "tts", "espeak", "embedded", "espeakng_loader", "GPL-3.0-or-later",
        "robotic; no download; streams",
        "en, sw, tn; sn as a stopgap, with Swahili's sounds",
        ("word times", "streams"),
    ),
    Shipped(
        "tts", "openai", "openai", "openai", "Apache-2.0",
        "any server with OpenAI's speech API (Kokoro-FastAPI, speaches, OpenAI); sends the text "
        "there",
        _OF_SERVER, ("streams",),
    ),
    Shipped(
        "tts", "elevenlabs", "elevenlabs", "tenacity", "Apache-2.0",
        "ElevenLabs; sends the text there, and is paid for it",
        _OF_SERVER, ("word times", "streams"),
    ),
    Shipped(
        "tts", "alltalk", "alltalk", "tenacity", "Apache-2.0",
        "an AllTalk server; sends the text there",
        _OF_SERVER, ("streams",),
    ),
    Shipped(
        "tts", "vits", "vits", "onnx", "MIT and Apache-2.0",
        "VITS voices of MMS and Coqui as ONNX; streams",
        "those of the model; sn by MMS", ("word times", "streams"),
    ),
    Shipped(
        "tts", "piper", "piper", "piper", "GPL-3.0-or-later",
        "Piper's voices; streams",
        _OF_MODEL, ("word times", "streams"),
    ),
    Shipped(
        "tts", "kokoro", "kokoro", "onnx", "Apache-2.0; GPL-3.0-or-later phonemes",
        "Kokoro 82M as ONNX; mixes voices",
        "en, es, fr, hi, it, pt", ("word times", "mixes voices"),
    ),
    Shipped(
        "tts", "coqui", "coqui", "TTS", "MPL-2.0",
        "Coqui's VITS and XTTS on PyTorch, in an environment of its own",
        _OF_MODEL, ("streams", "clones voices"), "its own",
    ),
    Shipped(
        "tts", "qwen3", "qwen3", "qwen_tts", "Apache-2.0",
        "Qwen3-TTS on PyTorch, in an environment of its own; for a GPU",
        _OF_MODEL, ("clones voices",), "its own",
    ),
    Shipped(
        "tts", "chatterbox", "chatterbox", "chatterbox", "MIT",
        "cloned voices on PyTorch, in an environment of its own; for a GPU; watermarks",
        _OF_MODEL, ("clones voices",), "its own",
    ),
    Shipped(
        "tts", "tone", "embedded", "inzwa_rtc", "Apache-2.0",
        "a tone for each sentence, for load tests",
        "any", (),
    ),
)  # fmt: skip
"""In the order in which they are listed."""


def shipped(kind: EngineKind, name: str) -> Shipped | None:
    """What is known of the engine, None for one that is not ours."""
    return next((one for one in SHIPPED if (one.kind, one.name) == (kind, name)), None)
