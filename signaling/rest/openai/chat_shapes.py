"""What `/v1/chat/completions` answers."""

from __future__ import annotations

import json
from typing import Literal

from pydantic import BaseModel

from inzwa_rtc.engines.contracts import ToolCall


class CalledFunction(BaseModel):
    """What is to be called; `arguments` are JSON."""

    name: str
    arguments: str


class CalledTool(BaseModel):
    """A tool that the model asks for."""

    index: int
    id: str
    type: Literal["function"] = "function"
    function: CalledFunction


def called(call: ToolCall, index: int) -> CalledTool:
    """The call as it is told."""
    arguments = call.unreadable or json.dumps(dict(call.arguments), ensure_ascii=False)
    function = CalledFunction(name=call.name, arguments=arguments)
    return CalledTool(index=index, id=call.id or f"call_{index}", function=function)


class ReplyMessage(BaseModel):
    """The reply."""

    role: Literal["assistant"] = "assistant"
    content: str | None
    refusal: str | None = None
    tool_calls: list[CalledTool] | None = None


class Choice(BaseModel):
    """The only one."""

    index: int = 0
    message: ReplyMessage
    finish_reason: str
    logprobs: None = None


class CompletionUsage(BaseModel):
    """Tokens as the model counts them, or about as many."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatCompletion(BaseModel):
    """The whole reply."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: CompletionUsage


class Delta(BaseModel):
    """What is new; members without news are left out."""

    role: str | None = None
    content: str | None = None
    tool_calls: list[CalledTool] | None = None


class ChunkChoice(BaseModel):
    """The only one."""

    index: int = 0
    delta: Delta
    finish_reason: str | None = None
    logprobs: None = None


class ChatCompletionChunk(BaseModel):
    """A part of the reply. The stream ends with the data `[DONE]`."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: CompletionUsage | None = None
