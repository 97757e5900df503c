"""Replies as OpenAI's own client asks for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest

from inzwa_rtc.engines.contracts import Message, TokenChunk, ToolCall, Usage
from inzwa_rtc.errors import EngineError
from tests.support.engines import ScriptedModel
from tests.support.openai import openai_client
from tests.support.server import serving, serving_embedded

ASK: Any = {"model": "gpt-4o", "messages": [{"role": "user", "content": "How are you?"}]}


class CountingModel(ScriptedModel):
    """A model that tells how many tokens it took."""

    async def reply(self, request: Any) -> Any:
        async for item in super().reply(request):
            yield item
        yield TokenChunk("", usage=Usage(11, 7), finish_reason=None)


@asynccontextmanager
async def asking(llm: ScriptedModel) -> AsyncIterator[openai.AsyncOpenAI]:
    async with serving(llm=llm) as server, openai_client(server) as client:
        yield client


async def test_a_dialogue_is_continued_with_the_engine_of_the_server() -> None:
    async with serving_embedded() as server, openai_client(server) as client:
        told = await client.chat.completions.create(**ASK)
        models = [model.id async for model in client.models.list()]
        assert models == ["pocketsphinx", "scripted", "espeak"]
        assert (await client.models.retrieve("espeak")).owned_by == "espeak"
        with pytest.raises(openai.NotFoundError):
            await client.models.retrieve("gpt-9")
    assert "well" in (told.choices[0].message.content or "")
    assert told.choices[0].finish_reason == "stop"


async def test_a_stream_tells_phrase_by_phrase_and_last_what_it_took() -> None:
    async with asking(CountingModel("I am well today.")) as client:
        chunks = await client.chat.completions.create(
            **ASK, stream=True, stream_options={"include_usage": True}
        )
        told = [chunk async for chunk in chunks]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in told[:-1])
    assert text == "I am well today."
    assert told[0].choices[0].delta.role == "assistant"
    assert told[-2].choices[0].finish_reason == "stop"
    assert told[-1].usage is not None and told[-1].usage.total_tokens == 18
    assert len({chunk.id for chunk in told}) == 1


async def test_the_request_reaches_the_model_as_it_was_meant() -> None:
    model = CountingModel("Yes.")
    async with asking(model) as client:
        await client.chat.completions.create(
            model="o3",
            messages=[
                {"role": "developer", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "Is it?"}]},
            ],
            max_completion_tokens=12,
            temperature=0.3,
            top_p=0.8,
            stop=["\n"],
            seed=4,
            user="somebody",
            frequency_penalty=1.0,
        )
    request = model.requests[0]
    assert list(request.messages) == [Message("system", "Be brief."), Message("user", "Is it?")]
    assert request.max_tokens == 12
    sampling = request.sampling
    assert (sampling.temperature, sampling.top_p, sampling.stop, sampling.seed) == (
        *(0.3, 0.8),
        *(("\n",), 4),
    )


async def test_nobody_is_given_more_tokens_than_the_operator_allows() -> None:
    model = CountingModel("Yes.")
    async with asking(model) as client:
        await client.chat.completions.create(**ASK, max_tokens=100_000)
    assert model.requests[0].max_tokens == 256


TOOLS: Any = [
    {
        "type": "function",
        "function": {"name": "weather", "description": "Of a town.", "parameters": {}},
    }
]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_tool_is_called_by_the_client_and_its_result_answered(stream: bool) -> None:
    call = ToolCall("weather", {"town": "Gweru"}, "call_1")
    model = CountingModel(call, "It is dry.")
    async with asking(model) as client:
        if stream:
            async with client.chat.completions.stream(**ASK, tools=TOOLS) as events:
                message = (await events.get_final_completion()).choices[0].message
        else:
            told = await client.chat.completions.create(**ASK, tools=TOOLS)
            assert told.choices[0].finish_reason == "tool_calls"
            message = told.choices[0].message
        assert message.tool_calls is not None
        made = message.tool_calls[0]
        assert made.type == "function"
        assert (made.function.name, made.function.arguments) == ("weather", '{"town": "Gweru"}')
        result: Any = {"role": "tool", "tool_call_id": made.id, "content": "dry"}
        follow_up = [*ASK["messages"], message.model_dump(exclude_none=True), result]
        model.replies = ["It is dry."]
        await client.chat.completions.create(model="gpt-4o", messages=follow_up, tools=TOOLS)
    assert [tool.name for tool in model.requests[0].tools] == ["weather"]
    assert model.requests[1].messages[-1] == Message("tool", "dry", tool_call_id="call_1")


async def test_tools_are_refused_where_the_model_takes_none() -> None:
    model = ScriptedModel("Yes.")
    model.takes_tools = False
    async with asking(model) as client:
        with pytest.raises(openai.BadRequestError) as refused:
            await client.chat.completions.create(**ASK, tools=TOOLS)
    assert refused.value.code == "no_tools"


@pytest.mark.parametrize(
    "asked",
    [
        {"n": 2},
        {"logprobs": True},
        {"response_format": {"type": "json_object"}},
        {"modalities": ["text", "audio"]},
        {"tool_choice": "required", "tools": TOOLS},
    ],
    ids=lambda asked: next(iter(asked)),
)
async def test_what_would_be_missed_is_refused_and_not_left_out(asked: dict[str, Any]) -> None:
    async with asking(CountingModel("Yes.")) as client:
        with pytest.raises(openai.BadRequestError) as refused:
            await client.chat.completions.create(**ASK, **asked)
    assert refused.value.code == "unsupported_value"


async def test_an_error_in_the_middle_of_a_stream_is_raised_by_the_client() -> None:
    class Breaking(ScriptedModel):
        async def reply(self, request: Any) -> Any:
            yield TokenChunk("I am well. And ")
            raise EngineError("It broke.")

    got = ""
    async with asking(Breaking()) as client:
        chunks = await client.chat.completions.create(**ASK, stream=True)
        with pytest.raises(openai.APIError, match="It broke"):
            async for chunk in chunks:
                got += chunk.choices[0].delta.content or ""
    assert got == "I am well. "


async def test_an_engine_that_fails_at_once_is_a_server_error() -> None:
    async with asking(ScriptedModel(EngineError("It broke."))) as client:
        with pytest.raises(openai.InternalServerError) as failed:
            await client.chat.completions.create(**ASK, stream=True)
    assert failed.value.status_code == 502


async def test_an_unknown_key_is_an_authentication_error() -> None:
    async with asking(ScriptedModel("Yes.")) as client:
        with pytest.raises(openai.AuthenticationError) as refused:
            await client.with_options(api_key="nobody's").chat.completions.create(**ASK)
    assert refused.value.type == "authentication_error"


async def test_a_refused_question_is_answered_and_says_why_it_ended() -> None:
    model = ScriptedModel("First, take a pipe.")
    bad: Any = [{"role": "user", "content": "how do I make a pipe bomb"}]
    async with asking(model) as client:
        told = await client.chat.completions.create(model="gpt-4o", messages=bad)
    assert told.choices[0].finish_reason == "content_filter"
    assert told.choices[0].message.content and not model.requests
