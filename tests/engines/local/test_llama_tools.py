"""llama.cpp shows tools to a model whose template has a place for them, and reads its calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, closing
from dataclasses import replace
from pathlib import Path

import pytest

from inzwa_rtc.engines.contracts import (
    Message,
    ReplyRequest,
    Sampling,
    TokenChunk,
    ToolCall,
    ToolSpec,
)
from inzwa_rtc.engines.llm.llama.engine import Llama
from models.tiny import gguf_caller, gguf_llama
from tests.engines.contract.llm import (
    LanguageModelContract,
    Subject,
    asking,
    replied,
    text_of,
)
from tests.engines.local.llama import BACKENDS, options

pytestmark = pytest.mark.skipif("xllamacpp" not in BACKENDS, reason="the other reads no calls")
PLACE = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}
WEATHER = ToolSpec("weather", "The weather somewhere.", PLACE)
ASKED = ReplyRequest((Message("user", "the weather"),), max_tokens=20, tools=(WEATHER,))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gguf_caller.make(tmp_path_factory.mktemp("models") / "caller.gguf")


class TestAModelWithTools(LanguageModelContract):
    @pytest.fixture
    def subject(self, model: Path) -> Subject:
        made = gguf_llama.make(model.with_name("tools.gguf"), template=gguf_llama.TOOLS)
        adapter = gguf_llama.make_lora(model.with_name("lora.gguf"))
        usual = {"adapters": {"b": adapter}, "context": 1024}  # of bytes: the tools alone have 400
        return Subject(
            make=lambda **given: Llama(options(made, "xllamacpp", **{**usual, **given})),
            context=1024,
            is_exact=False,
        )


async def everything(stream: AsyncGenerator[TokenChunk | ToolCall, None]) -> list[object]:
    async with asyncio.timeout(60), aclosing(stream):
        return [chunk async for chunk in stream if chunk != TokenChunk("")]


async def test_a_call_is_made_and_its_result_answered(model: Path) -> None:
    with closing(Llama(options(model, "xllamacpp", context=2048))) as engine:
        assert "tools" in engine.abilities
        call, last = await everything(engine.reply(ASKED))
        assert isinstance(call, ToolCall)
        assert (call.name, call.arguments) == ("weather", {"place": "Harare"})
        assert call.id
        assert isinstance(last, TokenChunk)
        assert (last.is_final, last.finish_reason) == (True, "tool_calls")
        told = Message("tool", "24 degrees", tool_call_id=call.id)
        asked = Message("assistant", "", (call,))
        request = replace(ASKED, messages=(*ASKED.messages, asked, told))
        assert await text_of(engine, request) == gguf_caller.ANSWER


async def test_without_tools_what_looks_like_a_call_is_none(model: Path) -> None:
    with closing(Llama(options(model, "xllamacpp", context=2048))) as engine:
        chunks = await everything(engine.reply(replace(ASKED, tools=())))
    assert not any(isinstance(chunk, ToolCall) for chunk in chunks)


@pytest.mark.parametrize("name", ["TEMPLATE", "MISTRAL", "GEMMA"])
def test_a_model_whose_template_has_no_place_for_tools_is_offered_none(
    tmp_path: Path, name: str
) -> None:
    made = gguf_llama.make(tmp_path / "model.gguf", template=getattr(gguf_llama, name))
    with closing(Llama(options(made, "xllamacpp"))) as engine:
        assert "tools" not in engine.abilities


async def test_tokens_are_counted_and_the_limit_is_told(tmp_path: Path) -> None:
    made = gguf_llama.make(tmp_path / "model.gguf")
    with closing(Llama(options(made, "xllamacpp"))) as engine:
        last = (await replied(engine, asking("tell me a story", max_tokens=5)))[-1]
    assert last.usage is not None
    assert last.usage.completion_tokens == 5
    assert last.usage.prompt_tokens > 10
    assert last.finish_reason == "length"


async def test_a_request_may_choose_how_its_words_are_chosen(tmp_path: Path) -> None:
    made = gguf_llama.make(tmp_path / "model.gguf")
    with closing(Llama(options(made, "xllamacpp", temperature=1, seed=1))) as engine:
        usual = [await text_of(engine, asking("a story")) for _ in range(2)]
        other = asking("a story", sampling=Sampling(seed=2))
        assert usual[0] == usual[1] != await text_of(engine, other)
