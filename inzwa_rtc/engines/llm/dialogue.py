"""A dialogue in the form that every chat template takes. No I/O.

Templates differ in what they refuse: Mistral's and Gemma's want the user and the assistant to
speak in turn, the user first; Gemma 2's knows no system prompt. A call begins with a greeting of
the assistant's, and a history whose oldest messages have gone may begin anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from inzwa_rtc.engines.contracts import Message

_BEGAN = "The conversation has begun. You have said: "
_UNHEARD = "..."
"""In the place of an answer that the user went on before."""


def acceptable(messages: Sequence[Message]) -> tuple[Message, ...]:
    """At most one system prompt, then the user and the assistant in turn, the user first.

    What the assistant said before the user's first words stands as a note at the end of the
    system prompt. Neighbours of one role are one message, but for calls of tools and results:
    these stand between, and something of the assistant's follows them. No text has unpaired
    surrogates.
    """
    system = [message.content for message in messages if message.role == "system"]
    turns = [message for message in messages if message.role != "system"]
    begun = next((n for n, turn in enumerate(turns) if turn.role == "user"), len(turns))
    if begun:
        said = (turn.content for turn in turns[:begun] if turn.role == "assistant")
        system.append(_BEGAN + " ".join(filter(None, said)))
    first = [Message("system", "\n\n".join(system))] if system else []
    return tuple(
        replace(message, content=well_formed(message.content))
        for message in (*first, *_joined(turns[begun:]))
    )


def without_system(messages: Sequence[Message]) -> tuple[Message, ...]:
    """An acceptable dialogue for a template without a system prompt: it begins the user's first
    message."""
    if not messages or messages[0].role != "system":
        return tuple(messages)
    system, *turns = messages
    said = [system.content, *(turn.content for turn in turns[:1])]
    return (Message("user", "\n\n".join(said)), *turns[1:])


def well_formed(text: str) -> str:
    """The text as UTF-8 can have it: a split surrogate pair is one character again, half of one
    is U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _joined(turns: Sequence[Message]) -> list[Message]:
    joined: list[Message] = []
    for turn in turns:
        before = joined[-1] if joined else None
        if before is not None and _are_one(before, turn):
            turn = Message(turn.role, f"{joined.pop().content} {turn.content}")
        elif before is not None and before.role == "tool" and turn.role == "user":
            joined.append(Message("assistant", _UNHEARD))
        joined.append(turn)
    return joined


def _are_one(before: Message, after: Message) -> bool:
    if before.role != after.role or after.role == "tool":
        return False
    return not before.tool_calls and not after.tool_calls
