"""A model's control tokens, which nobody may write into a dialogue. No I/O.

llama.cpp reads a prompt with all of them in it, because the chat template writes them. Where a
caller's words hold one (`<|im_end|>`, `</s>`), it would end their message and begin another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from inzwa_rtc.engines.contracts import Message


class Controls:
    """The control tokens of one vocabulary."""

    def __init__(self, tokens: Iterable[str]) -> None:
        longest_first = sorted({token for token in tokens if len(token) > 1}, key=len, reverse=True)
        self._any = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def broken_up(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """The messages with a space within each control token. The system prompt is the
        operator's, and left as it is."""
        return tuple(
            message
            if message.role == "system"
            else replace(
                message,
                content=self._without(message.content),
                tool_calls=tuple(
                    replace(call, arguments=self._all_without(dict(call.arguments)))
                    for call in message.tool_calls
                ),
            )
            for message in messages
        )

    def _all_without(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._without(value)
        if isinstance(value, dict):
            return {self._without(name): self._all_without(one) for name, one in value.items()}
        return [self._all_without(one) for one in value] if isinstance(value, list) else value

    def _without(self, text: str) -> str:
        while self._any is not None and (found := self._any.search(text)):
            place = found.start() + 1
            text = f"{text[:place]} {text[place:]}"
        return text
