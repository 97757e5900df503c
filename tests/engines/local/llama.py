"""What the tests of llama.cpp's engines share."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from inzwa_rtc.engines.llm.llama.backend import Completion, Tell, Told
from inzwa_rtc.engines.llm.llama.engine import Llama
from inzwa_rtc.engines.llm.llama.options import LlamaOptions
from tests.engines.contract.llm import GUARD_S

# The second compiles for minutes where it is installed; what is installed is tested.
BACKENDS = [
    name
    for name, module in (("xllamacpp", "xllamacpp"), ("llama-cpp-python", "llama_cpp"))
    if find_spec(module)
]


def options(model: Path, backend: str, **given: Any) -> LlamaOptions:
    values = {"context": 512, "slots": 2, "threads": 1, "temperature": 0, "seed": 1, **given}
    return LlamaOptions.model_validate(
        {"model": model, "backend": backend, "device": "cpu", **values}
    )


@dataclass
class Watched:
    """What a backend does, told as it goes on."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    """It is at work on a prompt."""
    told: int = 0
    """How often it told: once for each batch of a prompt, and for each token."""
    goes_on: threading.Event = field(default_factory=threading.Event)
    """While this is not set, it waits after its first token."""
    cached: int = 0
    prompt: int = 0
    """Tokens of the newest prompt, and how many of them were in the cache."""


def watch(engine: Llama, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """From now on."""
    loop, watched = asyncio.get_running_loop(), Watched()
    watched.goes_on.set()
    complete = engine._model.backend.complete

    def watching(completion: Completion, tell: Tell) -> None:
        def telling(told: Told) -> bool:
            watched.told += 1
            if told.prompt_tokens is not None:
                watched.cached, watched.prompt = told.cached_tokens, told.prompt_tokens
            loop.call_soon_threadsafe(watched.begun.set)
            goes_on = tell(told)
            if told.token and not watched.goes_on.is_set():
                watched.goes_on.wait(GUARD_S)
                goes_on = tell(Told())
            return goes_on

        complete(completion, telling)

    monkeypatch.setattr(engine._model.backend, "complete", watching)
    return watched


def computed(engine: Llama, watched: Watched) -> int:
    """Batches of xllamacpp, and tokens of llama-cpp-python, which tells more often than that and
    remembers what it computed."""
    backend: Any = engine._model.backend
    if engine.details["backend"] == "xllamacpp":
        return watched.told
    return sum(context._llama.n_tokens for context in backend._contexts)
