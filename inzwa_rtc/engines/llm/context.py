"""Fitting a dialogue into a model's context: the system prompt and the newest turns stay."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from inzwa_rtc.engines.contracts import Message
from inzwa_rtc.engines.llm.dialogue import acceptable
from inzwa_rtc.errors import EngineError

_MESSAGE_TOKENS = 8  # what a chat template puts around a message
_FIRST_GUESS = 0.5  # tokens per character: above English (0.25) and Shona (0.4)
_FEWEST, _MOST = 0.05, 4  # that any text has; a count beyond them is a mistake of the server's
_KEPT_CUTS = 1024  # dialogues that are too long at the same time
_AT_EASE = 0.9  # of what there is: a dialogue that is less than this is given whole again


@dataclass(frozen=True, slots=True)
class Fitted:
    """The messages that fit, as every template takes them, and how many older ones had to go."""

    messages: tuple[Message, ...]
    dropped: int


class ContextFitter:
    """Estimates tokens by characters, at the rate that the model's own counts show.

    A dialogue that has grown too long loses about half of its turns at once, and begins with
    the same one from then on, until it is too long again: a model has read what stays the same,
    and would read all turns anew if each took the oldest away.
    """

    def __init__(self) -> None:
        self._per_character = _FIRST_GUESS
        self._cuts: OrderedDict[int, None] = OrderedDict()  # the turns that dialogues begin with

    def learn(self, messages: Sequence[Message], tokens: int) -> None:
        """A prompt of these messages had this many tokens. Ignored where that cannot be."""
        characters = sum(len(message.content) for message in messages)
        if characters < 100:  # a short prompt is mostly template
            return
        if _FEWEST * characters <= tokens <= _MOST * characters:
            self._per_character = tokens / characters

    def fit(self, messages: Sequence[Message], available: int) -> Fitted:
        """Drop the oldest turns where about `available` tokens do not suffice.

        Raises `EngineError` when the system prompt and the last message alone do not fit.
        """
        whole = acceptable(messages)
        system = [message for message in whole if message.role == "system"]
        turns = [message for message in whole if message.role != "system"]
        start = self._start(system, turns, available)
        kept = (*system, *turns[start:])
        if self._tokens(kept) > available:
            if self._per_character <= _FIRST_GUESS:
                raise EngineError(
                    f"The prompt does not fit into the model's context ({available} tokens are "
                    "left for it).",
                    action="Raise `llm.context` or shorten the system prompt or the message.",
                    code="context_too_small",
                )
            # Too much only by what was learned, perhaps from a wrong count: nothing would ever
            # be asked again, and so nothing better learned. Whoever counts will tell.
            self._per_character = _FIRST_GUESS
            return self.fit(messages, available)
        return Fitted(kept, start)

    def _start(self, system: Sequence[Message], turns: Sequence[Message], available: int) -> int:
        """The first of the turns to be kept."""
        needed = self._tokens([*system, *turns])
        before = self._cut_before(turns)
        if needed <= available and (before is None or needed <= _AT_EASE * available):
            return 0
        if before is not None and self._tokens([*system, *turns[before:]]) <= available:
            return before
        own = [place for place, turn in enumerate(turns) if turn.role == "user"]
        half = (available + self._tokens(system)) // 2  # all of the system prompt, half the rest
        fitting = (n for n in own if self._tokens([*system, *turns[n:]]) <= half)
        start = next(fitting, own[-1] if own else 0)
        if start and start + 1 < len(turns):
            self._remember(_beginning(turns, start))
        return start

    def _cut_before(self, turns: Sequence[Message]) -> int | None:
        places = range(len(turns) - 2, 0, -1)
        return next((n for n in places if _beginning(turns, n) in self._cuts), None)

    def _remember(self, beginning: int) -> None:
        self._cuts[beginning] = None
        if len(self._cuts) > _KEPT_CUTS:
            self._cuts.popitem(last=False)

    def _tokens(self, messages: Sequence[Message]) -> int:
        characters = sum(len(message.content) for message in messages)
        return int(characters * self._per_character) + _MESSAGE_TOKENS * len(messages)


def _beginning(turns: Sequence[Message], start: int) -> int:
    """What tells one dialogue from another: what was said there, and the answer to it."""
    return hash((turns[start], turns[start + 1]))
