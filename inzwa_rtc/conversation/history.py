"""What was said in a call, as the reply engine is told it: only what was heard."""

from __future__ import annotations

from inzwa_rtc.engines.contracts import Message


class History:
    """The dialogue. Consecutive messages of one side are one message: a caller who
    paused and went on, or was answered by nothing that could be heard, said one thing.

    Bounded to `limit` messages, the oldest going first; the system prompt stays.
    """

    def __init__(self, system_prompt: str | None, limit: int) -> None:
        self._system = [Message("system", system_prompt)] if system_prompt else []
        self._limit = limit
        self._messages: list[Message] = []

    @property
    def messages(self) -> list[Message]:
        """System prompt and dialogue, oldest first."""
        return [*self._system, *self._messages]

    def add_user(self, text: str) -> None:
        """The caller's words."""
        self._add(Message("user", text))

    def add_assistant(self, heard: str) -> None:
        """The part of a reply that the caller heard; nothing is added for nothing."""
        if heard:
            self._add(Message("assistant", heard))

    def _add(self, message: Message) -> None:
        if self._messages and self._messages[-1].role == message.role:
            joined = f"{self._messages.pop().content} {message.content}"
            message = Message(message.role, joined)
        self._messages.append(message)
        del self._messages[: -self._limit]
