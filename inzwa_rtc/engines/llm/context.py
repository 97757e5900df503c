"""Fitting a dialogue into a model's context: the system prompt and the newest turns stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inzwa_rtc.engines.contracts import Message
from inzwa_rtc.errors import EngineError

_MESSAGE_TOKENS = 8  # what a chat template puts around a message
_FIRST_GUESS = 0.5  # tokens per character: above English (0.25) and Shona (0.4)


@dataclass(frozen=True, slots=True)
class Fitted:
    """The messages that fit, and how many older ones had to go."""

    messages: tuple[Message, ...]
    dropped: int


class ContextFitter:
    """Estimates tokens by characters, at the rate that the model's own counts show."""

    def __init__(self) -> None:
        self._per_character = _FIRST_GUESS

    def learn(self, messages: Sequence[Message], tokens: int) -> None:
        """A prompt of these messages had this many tokens."""
        characters = sum(len(message.content) for message in messages)
        if characters >= 100:  # a short prompt is mostly template
            self._per_character = max(0.05, tokens / characters)

    def fit(self, messages: Sequence[Message], available: int) -> Fitted:
        """Drop the oldest turns until about `available` tokens suffice.

        Raises `EngineError` when the system prompt and the last message alone do not fit.
        """
        system = [message for message in messages if message.role == "system"]
        turns = [message for message in messages if message.role != "system"]
        kept = list(turns)
        while len(kept) > 1 and self._tokens([*system, *kept]) > available:
            kept.pop(0)
            while len(kept) > 1 and kept[0].role == "assistant":
                kept.pop(0)  # templates want the user to begin
        if self._tokens([*system, *kept]) > available:
            raise EngineError(
                f"The prompt does not fit into the model's context ({available} tokens are left "
                "for it).",
                action="Raise `llm.context` or shorten the system prompt or the message.",
                code="context_too_small",
            )
        return Fitted((*system, *kept), len(turns) - len(kept))

    def _tokens(self, messages: Sequence[Message]) -> int:
        characters = sum(len(message.content) for message in messages)
        return int(characters * self._per_character) + _MESSAGE_TOKENS * len(messages)
