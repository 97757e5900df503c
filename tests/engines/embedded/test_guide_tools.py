"""The guide asks the tools that its script names, and tells what they have told."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import pytest

from inzwa_rtc.engines.contracts import (
    TOOL_FAILED,
    Message,
    ReplyRequest,
    TokenChunk,
    ToolCall,
    ToolSpec,
)
from inzwa_rtc.engines.llm.scripted import Scripted, ScriptedOptions

PLACES: dict[str, Any] = {
    "type": "object",
    "properties": {"place": {"type": "string", "enum": ["Harare", "Victoria Falls"]}},
}
TIME = ToolSpec("time", "The time.")
WEATHER = ToolSpec("weather", "The weather.", PLACES)


@pytest.fixture(scope="module")
def guide() -> Scripted:
    return Scripted(ScriptedOptions())


async def replied(guide: Scripted, request: ReplyRequest) -> list[TokenChunk | ToolCall]:
    async with aclosing(guide.reply(request)) as chunks:
        return [chunk async for chunk in chunks]


async def said(guide: Scripted, *messages: Message) -> str:
    chunks = await replied(guide, ReplyRequest(messages, tools=(TIME, WEATHER)))
    return "".join(chunk.token for chunk in chunks if isinstance(chunk, TokenChunk))


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("What time is it?", "time", {}),
        ("what is the date today", "time", {}),
        ("what day is it", "time", {}),
        ("what is the weather like today", "weather", {}),
        ("What is the weather in Victoria Falls?", "weather", {"place": "Victoria Falls"}),
        ("how is the weather in harare", "weather", {"place": "Harare"}),
    ],
)
async def test_a_question_that_a_tool_knows_is_passed_on(
    guide: Scripted, text: str, name: str, arguments: dict[str, str]
) -> None:
    request = ReplyRequest((Message("user", text),), tools=(TIME, WEATHER))
    call, last = await replied(guide, request)
    assert isinstance(call, ToolCall)
    assert (call.name, call.arguments) == (name, arguments)
    assert call.id
    assert last == TokenChunk("", is_final=True, finish_reason="tool_calls")


@pytest.mark.parametrize("text", ["tell me a story", "hello", "what is seven times eight", ""])
async def test_other_questions_are_answered_as_ever(guide: Scripted, text: str) -> None:
    messages = (Message("user", text),)
    with_tools = await replied(guide, ReplyRequest(messages, tools=(TIME, WEATHER)))
    assert with_tools == await replied(guide, ReplyRequest(messages))


async def test_a_tool_that_is_not_offered_is_not_asked(guide: Scripted) -> None:
    messages = (Message("user", "what is the weather"),)
    chunks = await replied(guide, ReplyRequest(messages, tools=(TIME,)))
    assert not any(isinstance(chunk, ToolCall) for chunk in chunks)


async def test_a_tool_that_must_be_told_more_than_was_said_is_not_asked(guide: Scripted) -> None:
    tool = ToolSpec("weather", "The weather.", {**PLACES, "required": ["place"]})
    messages = (Message("user", "what is the weather"),)
    chunks = await replied(guide, ReplyRequest(messages, tools=(tool,)))
    assert not any(isinstance(chunk, ToolCall) for chunk in chunks)


def exchange(result: str) -> list[Message]:
    return [
        Message("user", "what is the weather"),
        Message("assistant", "", (ToolCall("weather", {}, "1"),)),
        Message("tool", result, tool_call_id="1"),
    ]


async def test_what_the_tool_told_is_said_and_said_again(guide: Scripted) -> None:
    told = "It is 24 degrees in Harare."
    assert await said(guide, *exchange(told)) == told
    again = (*exchange(told), Message("assistant", told), Message("user", "say that again"))
    assert told in await said(guide, *again)


async def test_where_the_tool_failed_the_script_has_its_say(guide: Scripted) -> None:
    answer = await said(guide, *exchange(f"{TOOL_FAILED} no connection"))
    assert "weather" in answer
    assert TOOL_FAILED not in answer
