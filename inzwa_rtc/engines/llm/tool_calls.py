"""Tools and their calls in the form of OpenAI's chat interface, which others have taken over.

No I/O. Whatever a server sends as a call is checked here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from inzwa_rtc.engines.contracts import Message, ToolCall, ToolSpec, new_call_id

MOST_CALLS = 16
"""In one reply."""
MOST_CHARS = 64 * 1024
"""Of the arguments of one call."""


@dataclass(slots=True)
class _Part:
    id: str = ""
    name: str = ""
    arguments: str = ""


class CallParts:
    """Puts the calls of one reply together out of the pieces that they come in."""

    def __init__(self) -> None:
        self._parts: dict[int, _Part] = {}

    def feed(self, deltas: object) -> None:
        """The `tool_calls` of one piece of a reply; None for none. Raises `ValueError`."""
        if deltas is None:
            return
        if not isinstance(deltas, Sequence) or isinstance(deltas, str):
            raise ValueError("not calls of tools")
        for place, delta in enumerate(deltas):
            self._feed_one(delta, place)

    def calls(self) -> list[ToolCall]:
        """All of them, in their order, now that the reply is over."""
        parts = [self._parts[index] for index in sorted(self._parts)]
        self._parts.clear()
        return [_call(part) for part in parts if part.name]

    def _feed_one(self, delta: object, place: int) -> None:
        if not isinstance(delta, Mapping):
            raise ValueError("not a call of a tool")
        index = delta.get("index", place)
        if not isinstance(index, int) or not 0 <= index < MOST_CALLS:
            raise ValueError("too many calls of tools")
        part = self._parts.setdefault(index, _Part())
        function = delta.get("function")
        if not isinstance(function, Mapping):
            function = {}
        part.id = part.id or _text(delta.get("id"))
        part.name = part.name or _text(function.get("name"))
        arguments = function.get("arguments")
        if isinstance(arguments, Mapping):  # some have them whole
            arguments = json.dumps(arguments)
        part.arguments += _text(arguments)
        if len(part.arguments) > MOST_CHARS:
            raise ValueError("too long a call of a tool")


def message_json(message: Message) -> dict[str, Any]:
    """A message as the interface has it."""
    told: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        told["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(dict(call.arguments))},
            }
            for call in message.tool_calls
        ]
    if message.role == "tool":
        told["tool_call_id"] = message.tool_call_id
    return told


def tools_json(tools: Sequence[ToolSpec]) -> list[dict[str, Any]]:
    """Tools as the interface has them."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": dict(tool.parameters),
            },
        }
        for tool in tools
    ]


def about_tokens(tools: Sequence[ToolSpec]) -> int:
    """How many tokens of a context the tools take, roughly: JSON has some three characters to a
    token."""
    return len(json.dumps(tools_json(tools))) // 3 if tools else 0


def _call(part: _Part) -> ToolCall:
    call = ToolCall(part.name, {}, part.id or new_call_id())
    if not part.arguments.strip():
        return call
    try:
        arguments = json.loads(part.arguments)
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        return replace(call, unreadable=part.arguments)
    return replace(call, arguments=arguments)


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value
