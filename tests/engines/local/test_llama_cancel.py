"""A reply that nobody wants any more is computed no further, whatever moment it is dropped at."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from inzwa_rtc.engines.llm.llama.engine import Llama
from models.tiny import gguf_llama
from tests.engines.contract.llm import GUARD_S, asking, replied
from tests.engines.local.llama import BACKENDS, computed, options, watch

CONTEXT = 4096
WORDS = "hello", "why"
PROMPT = "word" * 700  # a token for each letter


@pytest.fixture(params=BACKENDS)
def engine(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Llama]:
    # Most of what it says is words: halves of characters llama-cpp-python keeps for the end.
    model = gguf_llama.make(tmp_path / "tiny.gguf", gguf_llama.Size(words=5000))
    given = options(model, request.param, context=CONTEXT, slots=1, batch=8)
    with closing(Llama(given)) as engine:
        yield engine


async def test_a_reply_cut_after_its_first_token_is_not_written_to_its_end(
    engine: Llama, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [asking(words, max_tokens=300) for words in WORDS]
    lengths = [len(await replied(engine, one)) for one in requests]
    request = requests[lengths.index(max(lengths))]
    assert max(lengths) > 100
    watched = watch(engine, monkeypatch)
    watched.goes_on.clear()
    async with asyncio.timeout(GUARD_S):
        chunks = engine.reply(request)
        await anext(chunks)
        cut = asyncio.create_task(chunks.aclose())
        await asyncio.sleep(0)  # now it is told to stop
        watched.goes_on.set()
        await cut
    assert computed(engine, watched) - watched.prompt < max(lengths) / 2


@pytest.mark.parametrize("how", ["reply", "prepare"])
async def test_a_prompt_cut_before_the_first_token_is_not_read_to_its_end(
    engine: Llama, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    watched = watch(engine, monkeypatch)
    request = asking(PROMPT, max_tokens=1)
    work: Any = replied(engine, request) if how == "reply" else engine.prepare(request)
    task = asyncio.create_task(work)
    async with asyncio.timeout(GUARD_S):
        await watched.begun.wait()
        task.cancel()
        await asyncio.wait({task})
    assert task.cancelled()
    whole = len(PROMPT) // (8 if engine.details["backend"] == "xllamacpp" else 1)
    assert computed(engine, watched) < whole / 2
    # Nor does it look as if so many words were those few tokens.
    assert engine._fitter._per_character >= 0.5
