"""What the engine needs of a package that wraps llama.cpp."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from inzwa_rtc.engines.contracts import FinishReason, Message, ToolCall, ToolSpec, Usage
from inzwa_rtc.engines.llm.sampling import SamplingOptions


@dataclass(frozen=True, slots=True)
class LlamaModel:
    """What is loaded, and how. `slots` dialogues are continued at the same time, each in a
    context of `context` tokens; `batch` tokens of a prompt are read at once."""

    path: Path
    adapters: Mapping[str, Path]
    context: int
    slots: int
    batch: int
    threads: int
    gpu_layers: int
    gpu: int | None
    """The number of the one to use; None for all there are."""
    mlock: bool
    thinks: bool
    """Whether a model that can may reason before it answers."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One dialogue to be continued in one slot. With `max_tokens` 0 it is only read."""

    messages: Sequence[Message]
    slot: int
    max_tokens: int
    adapter: str | None
    sampling: SamplingOptions
    logprobs: bool = False
    tools: Sequence[ToolSpec] = ()


@dataclass(slots=True)
class Told:
    """What a completion tells as it goes on: a `token`, nothing (it only lives), or how many
    tokens the prompt has in all, read or not, and how many of them were in the cache."""

    token: str = ""
    logprob: float | None = None
    prompt_tokens: int | None = None
    cached_tokens: int = 0
    calls: object = None
    """The pieces of calls of tools, to be put together by `CallParts`."""
    reply_tokens: int | None = None
    """How many the reply has, told at its end."""
    is_final: bool = False
    is_cut_off: bool = False
    """Whether it ended at its limit."""

    @property
    def usage(self) -> Usage | None:
        """Where the numbers of both are told."""
        if self.prompt_tokens is None or self.reply_tokens is None:
            return None
        return Usage(self.prompt_tokens, self.reply_tokens)

    def finish_reason(self, calls: Sequence[ToolCall]) -> FinishReason:
        """Why it ended, if it asked for these."""
        if calls:
            return "tool_calls"
        return "length" if self.is_cut_off else "stop"


class PromptTooLong(Exception):
    """The prompt has `tokens` tokens, more than the slot's context."""

    def __init__(self, tokens: int) -> None:
        super().__init__(tokens)
        self.tokens = tokens


Tell = Callable[[Told], bool]
"""Called in the worker's thread; answers whether to go on. Called at least once for each
batch of the prompt, so that work can be stopped before there is a token."""


class Backend(Protocol):
    """A loaded model. `complete` blocks; it may be called from `slots` threads at once, never
    twice at a time for one slot."""

    def complete(self, completion: Completion, tell: Tell) -> None:
        """Continue the dialogue until it ends or `tell` says no. Raises `PromptTooLong`."""
        ...

    def close(self) -> None:
        """Free the model's memory. No completion may be under way."""
        ...


@dataclass(slots=True)
class Failed(Exception):
    """llama.cpp refused or broke off; `reason` quotes nothing of the prompt."""

    reason: str = field(default="")
