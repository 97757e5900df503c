"""What was said in a call, as the reply engine is told it: only what was heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from inzwa_rtc.engines.contracts import Message, ToolCall
from inzwa_rtc.safety import joined

# 3,200 tokens of a language that tokenizers know as little as Shona (2.5 characters each):
# with instructions and reply it fits the 4,096 of a small model's context.
MAX_CHARS = 8_000

RESULT_CHARS = 500
"""Of a tool's result that later turns know: enough for "and tomorrow?", and little to be read."""


class History:
    """The dialogue. Consecutive messages of one side are one message: a caller who
    paused and went on, or was answered by nothing that could be heard, said one thing.

    Bounded to `limit` messages and `MAX_CHARS`. Where that is exceeded the oldest go, down to
    about half of it: a model has read what stays the same since the last turn, and would
    have to read all of it anew if each turn took the oldest message away. What is left begins
    with the caller, as the templates of many models want it.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._messages: list[Message] = []
        self._unanswered = ""

    @property
    def messages(self) -> list[Message]:
        """The dialogue, oldest message first."""
        return list(self._messages)

    def followed_by(self, words: str) -> list[Message]:
        """The dialogue as it would be once the caller has said these words, which may be none."""
        if not words:
            return self.messages
        longer = History(self._limit)
        longer._messages = self.messages
        longer.add_user(words)
        return longer.messages

    @property
    def unanswered(self) -> str:
        """The caller's newest words, which nothing that was heard has answered yet: all since
        then, whatever tools were asked for meanwhile."""
        return self._unanswered

    def forget_unanswered(self) -> None:
        """As if the caller had not said them, nor tools been asked for them."""
        self._unanswered = ""
        while self._messages and not _is_heard(self._messages[-1]):
            del self._messages[-1]

    def add_user(self, text: str) -> None:
        """The caller's words."""
        self._unanswered = _newest(joined((self._unanswered, text)))
        self._add(Message("user", text))

    def add_assistant(self, heard: str) -> None:
        """The part of a reply that the caller heard; nothing is added for nothing."""
        if heard:
            self._unanswered = ""
            self._add(Message("assistant", heard))

    def take_back(self, said: str, heard: str) -> None:
        """Of what was added as heard, only the beginning was."""
        for at, message in reversed(list(enumerate(self._messages))):
            if message.role != "assistant" or not message.content.endswith(said):
                continue
            left = f"{message.content.removesuffix(said)}{heard}".strip()
            later = self._messages[at + 1 :]
            del self._messages[at:]
            for kept in [replace(message, content=left)] * bool(left) + later:
                self._add(kept)  # two messages of the caller's may have become one
            return

    def add_tools(self, calls: Sequence[ToolCall], results: Sequence[str]) -> None:
        """What tools were asked for, and the beginning of what each of them told."""
        self._add(Message("assistant", "", tuple(calls)))
        for call, result in zip(calls, results, strict=True):
            self._add(Message("tool", result[:RESULT_CHARS], tool_call_id=call.id))

    def _add(self, message: Message) -> None:
        if self._messages and _are_one(self._messages[-1], message):
            message = Message(message.role, f"{self._messages.pop().content} {message.content}")
        self._messages.append(replace(message, content=_newest(message.content)))
        if not self._is_within(self._limit, MAX_CHARS):
            self._halve()

    def _halve(self) -> None:
        while len(self._messages) > 1 and not self._is_within(self._limit // 2, MAX_CHARS // 2):
            del self._messages[0]
        while len(self._messages) > 1 and self._messages[0].role != "user":
            del self._messages[0]

    def _is_within(self, messages: int, characters: int) -> bool:
        if len(self._messages) > messages:
            return False
        return sum(len(message.content) for message in self._messages) <= characters


def _is_heard(message: Message) -> bool:
    return message.role == "assistant" and bool(message.content)


def _are_one(before: Message, after: Message) -> bool:
    if before.role != after.role or after.role == "tool":
        return False
    return not before.tool_calls and not after.tool_calls


def _newest(text: str) -> str:
    """The last words of a text that alone is more than all of history may be."""
    if len(text) <= MAX_CHARS:
        return text
    tail = text[-MAX_CHARS:]
    return tail.partition(" ")[2] or tail
