"""Answering: dialogues, the replies that continue them, and the tools that a model may ask for."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

Role = Literal["system", "user", "assistant", "tool"]

FinishReason = Literal["stop", "length", "tool_calls"]


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as it is offered to a model.

    `description` tells when to use it, in the words of the system prompt's language or in
    English; `parameters` is the JSON schema of the arguments, an object's.
    """

    name: str
    description: str
    parameters: Mapping[str, Any] = field(
        default_factory=lambda: {"type": "object", "properties": {}}, hash=False
    )


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for something to be done; `hang_up` ends the call once all is spoken.

    `id` tells this call from others of its dialogue, and its result says which call it is for.
    An engine whose model gives none makes one; it is empty only for what has no result, as
    `hang_up`. `unreadable` is what the model wrote in place of arguments, where that is no JSON
    object.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict, hash=False)
    id: str = ""
    unreadable: str = ""


TOOL_FAILED = "Error:"
"""What a tool's result begins with where it is none."""


def new_call_id() -> str:
    """One that no other call has, in the form that the strictest chat templates take: nine
    letters and digits."""
    return secrets.token_hex(5)[:9]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a dialogue, in the roles that chat models use.

    An assistant's may have `tool_calls`, and then often no `content`. Each of them is followed
    by a message of the role `tool`: its `content` is the result, as text for the model, and its
    `tool_call_id` the id of the call.
    """

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the words of one reply are chosen. None: as the engine's own options have it.

    `stop` are texts at which the reply ends. An engine leaves out what its model does not have.
    """

    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class ReplyRequest:
    """A dialogue to be continued; the last message is the user's, or a tool's result.

    `language` is the language to answer in (BCP 47), `max_tokens` a hard limit. `adapter`
    names the LoRA adapter to answer with, None for the model as it is. `tools` are what the
    model may ask for; an engine without the ability `tools` is never given any, nor messages
    that speak of them (see `without_tools`).
    """

    messages: Sequence[Message]
    language: str = "en"
    max_tokens: int = 256
    adapter: str | None = None
    tools: Sequence[ToolSpec] = ()
    sampling: Sampling = Sampling()


@dataclass(frozen=True, slots=True)
class Usage:
    """How many tokens a reply has taken, as the model counts them."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class TokenChunk:
    """A piece of the reply's text, white space included.

    The last one has `usage` and `finish_reason` where the engine knows them.
    """

    token: str
    logprob: float | None = None
    is_final: bool = False
    usage: Usage | None = None
    finish_reason: FinishReason | None = None


class LanguageModel(Protocol):
    """Continues a dialogue."""

    def reply(self, request: ReplyRequest) -> AsyncGenerator[TokenChunk | ToolCall, None]:
        """Yield the reply token by token; tool calls come whole, where the model makes them.

        After calls of tools that were offered, the reply goes on with another request, whose
        dialogue has the calls and their results.
        """
        ...


@runtime_checkable
class PreparingLanguageModel(LanguageModel, Protocol):
    """A language model that can read a dialogue ahead of being asked to continue it."""

    async def prepare(self, request: ReplyRequest) -> None:
        """Read the dialogue now, so that `reply` to one that begins alike starts sooner.

        The last message may be the first words of one. Cancelling stops the reading.
        """
        ...


@runtime_checkable
class ToolUsingLanguageModel(LanguageModel, Protocol):
    """A language model that tells whether it can be offered tools."""

    @property
    def takes_tools(self) -> bool:
        """Whether the next request's `tools` will be seen by a model. False while that is
        unknown: an engine that was never loaded."""
        ...


def takes_tools(model: LanguageModel) -> bool:
    """Whether tools may be offered to it."""
    return isinstance(model, ToolUsingLanguageModel) and model.takes_tools


def without_tools(request: ReplyRequest) -> ReplyRequest:
    """The same for a model that knows no tools: their results stand as notes beside the
    caller's words, so that it can still answer from them."""
    if not request.tools and all(
        message.role != "tool" and not message.tool_calls for message in request.messages
    ):
        return request
    return ReplyRequest(
        [told for message in request.messages if (told := _as_note(message)) is not None],
        request.language,
        request.max_tokens,
        request.adapter,
        sampling=request.sampling,
    )


def _as_note(message: Message) -> Message | None:
    if message.role == "tool":
        return Message("user", f"(Found out for you: {message.content})")
    if message.tool_calls:
        return Message("assistant", message.content) if message.content else None
    return message
