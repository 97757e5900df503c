"""How dialogues and replies travel between the server and an engine's process (see `wire`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from inzwa_rtc.engines.contracts import (
    Message,
    ReplyRequest,
    Sampling,
    TokenChunk,
    ToolCall,
    ToolSpec,
    Usage,
)


def reply_request_to(request: ReplyRequest) -> dict[str, Any]:
    return {
        "messages": [_message_to(message) for message in request.messages],
        "language": request.language,
        "max_tokens": request.max_tokens,
        "adapter": request.adapter,
        "tools": [asdict(tool) for tool in request.tools],
        "sampling": asdict(request.sampling),
    }


def reply_request_from(data: Mapping[str, Any]) -> ReplyRequest:
    sampling = data["sampling"]
    stop = sampling["stop"]
    return ReplyRequest(
        messages=tuple(_message_from(message) for message in data["messages"]),
        language=data["language"],
        max_tokens=data["max_tokens"],
        adapter=data["adapter"],
        tools=tuple(ToolSpec(**tool) for tool in data["tools"]),
        sampling=Sampling(**{**sampling, "stop": None if stop is None else tuple(stop)}),
    )


def token_to(chunk: TokenChunk | ToolCall) -> dict[str, Any]:
    if isinstance(chunk, ToolCall):
        return {"tool": _call_to(chunk)}
    return asdict(chunk)


def token_from(data: Mapping[str, Any]) -> TokenChunk | ToolCall:
    if "tool" in data:
        return _call_from(data["tool"])
    usage = data["usage"]
    return TokenChunk(**{**data, "usage": None if usage is None else Usage(**usage)})


def _message_to(message: Message) -> dict[str, Any]:
    data: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        data["tool_calls"] = [_call_to(call) for call in message.tool_calls]
    if message.tool_call_id:
        data["tool_call_id"] = message.tool_call_id
    return data


def _message_from(data: Mapping[str, Any]) -> Message:
    calls = tuple(_call_from(call) for call in data.get("tool_calls", ()))
    return Message(data["role"], data["content"], calls, data.get("tool_call_id", ""))


def _call_to(call: ToolCall) -> dict[str, Any]:
    return {**asdict(call), "arguments": dict(call.arguments)}


def _call_from(data: Mapping[str, Any]) -> ToolCall:
    return ToolCall(**data)
