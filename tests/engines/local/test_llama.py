"""llama.cpp with tiny models of random weights: streams, slots, cancelling, adapters, bad files."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest

from inzwa_rtc.engines.contracts import Message, ReplyRequest, TokenChunk
from inzwa_rtc.engines.llm.llama.engine import Llama, LlamaOptions
from inzwa_rtc.errors import EngineError, EngineUnavailable
from models.tiny import gguf_llama

GUARD_S = 60.0
# The second compiles for minutes where it is installed; what is installed is tested.
BACKENDS = [
    name
    for name, module in (("xllamacpp", "xllamacpp"), ("llama-cpp-python", "llama_cpp"))
    if find_spec(module)
]
WIDE = gguf_llama.Size(width=128, layers=2, heads=4, inner=512)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    gguf_llama.make(folder / "tiny.gguf")
    gguf_llama.make_lora(folder / "lora.gguf")
    gguf_llama.make_lora(folder / "other.gguf", WIDE)
    return folder


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def options(models: Path, backend: str, **given: Any) -> LlamaOptions:
    values = {"context": 512, "slots": 2, "threads": 1, "temperature": 0, "seed": 1, **given}
    return LlamaOptions.model_validate(
        {"model": models / "tiny.gguf", "backend": backend, "device": "cpu", **values}
    )


@pytest.fixture
def engine(models: Path, backend: str) -> Iterator[Llama]:
    with closing(Llama(options(models, backend, adapters={"b": models / "lora.gguf"}))) as engine:
        yield engine


def asking(text: str = "hello there", **values: Any) -> ReplyRequest:
    return ReplyRequest(
        (Message("system", "Be brief."), Message("user", text)), **{"max_tokens": 8, **values}
    )


async def reply(engine: Llama, request: ReplyRequest) -> list[TokenChunk]:
    async with asyncio.timeout(GUARD_S), aclosing(engine.reply(request)) as chunks:
        return [chunk async for chunk in chunks if isinstance(chunk, TokenChunk)]


async def text_of(engine: Llama, request: ReplyRequest) -> str:
    return "".join(chunk.token for chunk in await reply(engine, request))


async def next_of(chunks: AsyncGenerator[Any, None]) -> Any:
    async with asyncio.timeout(GUARD_S):
        return await anext(chunks)


async def test_a_reply_comes_token_by_token_and_says_which_is_the_last(engine: Llama) -> None:
    chunks = await reply(engine, asking())
    assert 1 < len(chunks) <= 10
    assert [chunk.is_final for chunk in chunks] == [False] * (len(chunks) - 1) + [True]


async def test_the_same_seed_gives_the_same_reply(engine: Llama) -> None:
    assert await text_of(engine, asking()) == await text_of(engine, asking())


async def test_an_adapter_chosen_for_a_request_changes_that_reply_only(engine: Llama) -> None:
    plain = await text_of(engine, asking())
    assert await text_of(engine, asking(adapter="b")) != plain
    assert await text_of(engine, asking()) == plain


async def test_an_unknown_adapter_is_refused_by_name(engine: Llama) -> None:
    with pytest.raises(EngineError, match="`c`; known: b") as caught:
        await reply(engine, asking(adapter="c"))
    assert caught.value.code == "unknown_adapter"


async def test_more_dialogues_than_slots_are_all_answered_as_if_alone(engine: Llama) -> None:
    texts = [f"question number {number}" for number in range(5)]
    alone = [await text_of(engine, asking(text)) for text in texts]
    async with asyncio.timeout(GUARD_S):
        together = await asyncio.gather(*(text_of(engine, asking(text)) for text in texts))
    assert together == alone


async def test_a_reply_cut_in_the_midst_frees_its_slot(engine: Llama) -> None:
    for _ in range(4):  # twice as often as there are slots
        chunks = engine.reply(asking(max_tokens=300))
        await next_of(chunks)
        async with asyncio.timeout(GUARD_S):
            await chunks.aclose()
    assert await text_of(engine, asking())


async def test_a_request_cancelled_before_its_first_token_frees_its_slot(engine: Llama) -> None:
    for _ in range(4):
        waiting = asyncio.create_task(text_of(engine, asking("x" * 300)))
        await asyncio.sleep(0)
        waiting.cancel()
        async with asyncio.timeout(GUARD_S):
            await asyncio.wait({waiting})
    assert await text_of(engine, asking())


async def test_what_was_read_ahead_is_not_read_again(engine: Llama) -> None:
    request = asking("what time is it in Harare")
    await engine.prepare(asking("what time is it"))
    run = engine._run(request, tuple(request.messages), 0, 8)  # the slot that was prepared
    async with asyncio.timeout(GUARD_S), aclosing(run.told()) as telling:
        cached = [told.cached_tokens async for told in telling if told.prompt_tokens]
    if engine.details["backend"] == "xllamacpp":  # the other does not tell
        assert max(cached) > 30
    assert await text_of(engine, request)


async def test_a_dialogue_too_long_loses_its_oldest_turns(engine: Llama) -> None:
    turns = [Message("user" if n % 2 == 0 else "assistant", f"{n} " + "w" * 60) for n in range(21)]
    assert (await reply(engine, ReplyRequest(turns, max_tokens=8)))[-1].is_final


async def test_a_prompt_too_long_by_itself_is_refused(engine: Llama) -> None:
    with pytest.raises(EngineError) as caught:
        await reply(engine, asking("x" * 5000))
    assert caught.value.code == "context_too_small"


async def test_a_stop_sequence_ends_the_reply_and_is_not_said(models: Path, backend: str) -> None:
    with closing(Llama(options(models, backend))) as engine:
        said = await text_of(engine, asking())
    stop = next(letter for letter in said[1:] if letter.isprintable())
    with closing(Llama(options(models, backend, stop=(stop,)))) as engine:
        assert stop not in await text_of(engine, asking())


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda content: content[:-20_000], "cannot load"),
        (lambda content: content[:2000], "cannot load"),
        (lambda content: b"\x80\x04" + content, "does not begin with GGUF"),
        (lambda content: content[:8] + (2**60).to_bytes(8, "little") + content[16:], "tensors"),
    ],
)
def test_a_damaged_model_is_refused(
    models: Path, backend: str, tmp_path: Path, damage: Any, reason: str
) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(damage((models / "tiny.gguf").read_bytes()))
    with pytest.raises(EngineUnavailable, match=reason):
        Llama(options(models, backend, model=broken))


def test_an_adapter_of_another_model_is_refused(models: Path, backend: str) -> None:
    with pytest.raises(EngineUnavailable, match="adapter"):
        Llama(options(models, backend, adapters={"b": models / "other.gguf"}))


@pytest.mark.skipif("llama-cpp-python" not in BACKENDS, reason="it is not installed here")
def test_all_slots_of_the_binding_compute_with_the_same_weights(models: Path) -> None:
    with closing(Llama(options(models, "llama-cpp-python", slots=3))) as engine:
        backend: Any = engine._backend
        weights = {context.weights.model for context in backend._contexts}
        assert len(backend._contexts) == 3
        assert len(weights) == 1


def test_memory_is_given_back_and_no_file_is_left(
    models: Path, backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    process = psutil.Process()
    sizes = []
    for _ in range(6):
        Llama(options(models, backend, context=8192)).close()
        gc.collect()
        sizes.append(process.memory_info().rss)
    assert sizes[-1] - sizes[1] < 24 * 2**20  # one context's cache is 16 MiB: none piles up
    assert list(tmp_path.iterdir()) == []
