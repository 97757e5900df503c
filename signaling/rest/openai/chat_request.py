"""What `/v1/chat/completions` is asked."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Annotated, Any, Literal

from pydantic import Field

from inzwa_rtc.engines.contracts import Message, Sampling, ToolCall, ToolSpec
from inzwa_rtc.errors import PeerError
from signaling.api.body import MAX_DEPTH, is_deep
from signaling.rest.openai.shapes import Asked, impossible

_Name = Annotated[str, Field(min_length=1, max_length=200)]
_StopText = Annotated[str, Field(min_length=1, max_length=500)]
_Stop = _StopText | Annotated[list[_StopText], Field(max_length=4)]


class ContentPart(Asked):
    """A part of a message; only text is understood."""

    type: str
    text: str = ""


class FunctionCall(Asked):
    """What was called; `arguments` are JSON."""

    name: _Name
    arguments: str = "{}"


class MadeCall(Asked):
    """A call that the assistant made before."""

    id: str
    function: FunctionCall

    def as_call(self) -> ToolCall:
        """Raises `PeerError` for arguments that are no JSON object, or nested too deeply: they
        are JSON inside of JSON, of which the body's own depth tells nothing."""
        arguments = None
        if not is_deep(self.function.arguments):
            with suppress(ValueError):
                arguments = json.loads(self.function.arguments or "{}")
        if not isinstance(arguments, dict):
            raise PeerError(
                f"The arguments of a tool call are no JSON object of at most {MAX_DEPTH} levels.",
                action="Send them as the model made them.",
                code="bad_json",
            )
        return ToolCall(self.function.name, arguments, self.id)


class ChatMessage(Asked):
    """A message of the dialogue."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[ContentPart] | None = None
    tool_calls: Annotated[list[MadeCall], Field(max_length=128)] | None = None
    tool_call_id: str = ""

    def as_message(self) -> Message:
        """Raises `PeerError` for anything but text."""
        role = "system" if self.role == "developer" else self.role
        calls = tuple(call.as_call() for call in self.tool_calls or ())
        return Message(role, self._text(), calls, self.tool_call_id)

    def _text(self) -> str:
        if not isinstance(self.content, list):
            return self.content or ""
        other = next((part.type for part in self.content if part.type not in _TEXT), None)
        if other is not None:
            raise impossible("messages", "only text is understood in them")
        return "".join(part.text for part in self.content)


_TEXT = ("text", "input_text", "refusal")


class Function(Asked):
    """A function that may be called; `parameters` is the JSON schema of its arguments."""

    name: _Name
    description: str = ""
    parameters: dict[str, Any] | None = None


class Tool(Asked):
    """A tool that is offered."""

    type: Literal["function"]
    function: Function

    def as_spec(self) -> ToolSpec:
        """As engines are offered it."""
        own = self.function
        schema = own.parameters or {"type": "object", "properties": {}}
        return ToolSpec(own.name, own.description, schema)


class StreamOptions(Asked):
    """What else is told in a stream."""

    include_usage: bool = False


class ResponseShape(Asked):
    """What the reply is to look like."""

    type: str


class ChatCompletionRequest(Asked):
    """A dialogue to be continued. `language` (BCP 47) is our own addition. Penalties, `user`,
    `metadata` and others that are not listed are ignored."""

    model: Annotated[str, Field(max_length=500)]
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=1000)]
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    stop: _Stop | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    tools: Annotated[list[Tool], Field(max_length=128)] | None = None
    tool_choice: str | dict[str, Any] | None = None
    n: int | None = 1
    logprobs: bool | None = False
    response_format: ResponseShape | None = None
    modalities: list[str] | None = None
    language: Annotated[str, Field(min_length=1, max_length=35)] | None = None

    def check(self) -> None:
        """Raises `PeerError` for what cannot be done, and would be missed by the client."""
        if self.n not in (None, 1):
            raise impossible("n", "there is one reply to a request")
        if self.logprobs:
            raise impossible("logprobs", "no probabilities are told")
        if self.response_format is not None and self.response_format.type != "text":
            raise impossible("response_format", "replies are plain text")
        if self.modalities not in (None, ["text"]):
            raise impossible("modalities", "replies are text; /v1/realtime speaks")
        if self.tool_choice not in (None, "auto", "none"):
            raise impossible("tool_choice", "the model decides whether it calls a tool")

    def sampling(self) -> Sampling:
        """How words are chosen."""
        stop = (self.stop,) if isinstance(self.stop, str) else self.stop
        return Sampling(self.temperature, self.top_p, tuple(stop) if stop else None, self.seed)

    def offered(self) -> list[ToolSpec]:
        """The tools that the model may ask for."""
        if self.tool_choice == "none":
            return []
        return [tool.as_spec() for tool in self.tools or ()]
