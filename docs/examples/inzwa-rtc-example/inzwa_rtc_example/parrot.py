"""A language model's place, taken by a parrot."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from pydantic import BaseModel, ConfigDict

from inzwa_rtc.engines.contracts import Ability, ReplyRequest, TokenChunk, ToolCall
from inzwa_rtc.errors import EngineError


class ParrotOptions(BaseModel):
    """Options under `llm:` in the configuration; a name that is not here is refused by it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    opening: str = "You said:"
    """What every reply begins with."""


class Parrot:
    """Repeats what the caller said."""

    Options = ParrotOptions
    abilities: tuple[Ability, ...] = ()

    def __init__(self, options: ParrotOptions) -> None:
        """Where a model would be loaded: this may block, and no event loop runs yet."""
        self._opening = options.opening
        self.details = {"model": "parrot"}

    def close(self) -> None:
        """Where a model's memory would be given back."""

    async def reply(self, request: ReplyRequest) -> AsyncGenerator[TokenChunk | ToolCall, None]:
        """Yield the reply word by word. Raises `EngineError` for an adapter: it has none."""
        if request.adapter is not None:
            raise EngineError(
                f"The parrot has no LoRA adapter `{request.adapter}`.",
                action="Leave `llm_adapter` empty.",
                code="unknown_adapter",
            )
        words = [*self._opening.split(), *request.messages[-1].content.split()]
        words = words[: request.max_tokens]
        for number, word in enumerate(words, start=1):
            yield TokenChunk(f"{word} ", is_final=number == len(words))
