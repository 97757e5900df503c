"""Which dialogue gets which of llama.cpp's slots.

Calls share their instructions, often the longest part of a prompt. If a new call took the slot
that remembers most of its prompt, it would take that of a call under way, which would take it
back at its next turn, and so on, while other slots lie idle. So a dialogue keeps the slot in
which it was begun, and a new one takes the slot that was left alone for longest.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import takewhile

NOT_THE_CALLERS = ("system: ", "assistant: ")
"""What texts begin with that many calls have in common: instructions and greetings."""


_SHARED = 4
"""Turns that a dialogue without its oldest ones has in common with what it was, at least. With
fewer ("yes", "Good.") two callers may be mistaken for one."""


class NoSlot(Exception):
    """All slots are taken."""


class Slots:
    """`count` slots; each remembers the texts it was last taken for: the adapter's name, then
    the messages, each after its role.

    Replies come before preparations: a preparation never waits, and ends when a reply to
    its dialogue wants the slot.
    """

    def __init__(self, count: int) -> None:
        self._free = list(range(count))  # the least recently used first
        self._remembered: list[tuple[str, ...]] = [()] * count
        self._preparing: dict[int, Callable[[], None]] = {}
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def taken_for(self, texts: Sequence[str]) -> AsyncGenerator[int, None]:
        """The number of a slot, for as long as it is entered; waits for one."""
        while (slot := self._for_reply(tuple(texts))) is None:
            self._changed.clear()
            await self._changed.wait()
        with self._held(slot, tuple(texts)):
            yield slot

    @contextmanager
    def prepared_for(
        self, texts: Sequence[str], stop: Callable[[], None]
    ) -> Generator[int, None, None]:
        """A slot to prepare in; `stop` is called when it should be left soon.

        Raises `NoSlot` where all are taken.
        """
        if not self._free:
            raise NoSlot
        slot = self._best(self._free, tuple(texts))
        self._preparing[slot] = stop
        try:
            with self._held(slot, tuple(texts)):
                yield slot
        finally:
            del self._preparing[slot]

    def _for_reply(self, texts: tuple[str, ...]) -> int | None:
        usable = [*self._free, *self._preparing]
        if not usable:
            return None
        slot = self._best(usable, texts)
        if slot in self._preparing:
            self._preparing[slot]()
            return None
        return slot

    @contextmanager
    def _held(self, slot: int, texts: tuple[str, ...]) -> Generator[None, None, None]:
        self._free.remove(slot)
        self._remembered[slot] = texts
        try:
            yield
        finally:
            self._free.append(slot)
            self._changed.set()

    def _best(self, slots: Sequence[int], texts: tuple[str, ...]) -> int:
        """The one with the dialogue's earlier words; one with its instructions and no more; or
        the first, which is the least recently used."""
        own = [slot for slot in slots if _is_continued(self._remembered[slot], texts)]
        if own:
            return max(own, key=lambda slot: _alike(self._remembered[slot], texts))
        if _has_words(texts):
            begun = [slot for slot in slots if _is_begun(self._remembered[slot], texts)]
            return (begun or slots)[0]
        return slots[0]  # for itself: another call may be about to speak in one that is begun


def _is_continued(before: tuple[str, ...], now: tuple[str, ...]) -> bool:
    """Whether what was said before goes on now, in whole or without its oldest turns."""
    if not _has_words(before):
        return False
    rules = 1 + sum(1 for _ in takewhile(_is_instruction, before[1:]))  # no turn takes them away
    if before[:rules] != now[:rules]:
        return False
    turns = before[rules:]
    starts = (0, *range(1, len(turns) - _SHARED))
    return any(_goes_on(turns[start:], now[rules:]) for start in starts)


def _goes_on(before: tuple[str, ...], now: tuple[str, ...]) -> bool:
    """Whether these turns stand there now. Their last words may have been misheard."""
    if len(before) > len(now):
        return False
    *settled, last = before
    heard = now[len(settled)]
    return settled == list(now[: len(settled)]) and 2 * _prefix(last, heard) >= len(last)


def _is_begun(before: tuple[str, ...], now: tuple[str, ...]) -> bool:
    """Whether what stands before the caller's first words, and nothing else, was read."""
    return before != () and not _has_words(before) and before == now[: len(before)]


def _is_instruction(text: str) -> bool:
    return text.startswith("system: ")


def _has_words(texts: tuple[str, ...]) -> bool:
    """Whether the caller has said anything."""
    return any(not text.startswith(NOT_THE_CALLERS) for text in texts[1:])


def _alike(before: tuple[str, ...], now: tuple[str, ...]) -> int:
    """How many leading characters are the same."""
    alike = 0
    for old, new in zip(before, now, strict=False):
        if old != new:
            return alike + _prefix(old, new)
        alike += len(old)
    return alike


def _prefix(old: str, new: str) -> int:
    length = min(len(old), len(new))
    return next((place for place in range(length) if old[place] != new[place]), length)
