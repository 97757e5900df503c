"""Which dialogue gets which of llama.cpp's slots: the one that remembers most of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager


class NoSlot(Exception):
    """All slots are taken."""


class Slots:
    """`count` slots; each remembers the texts it was last taken for.

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
        return max(slots, key=lambda slot: _alike(self._remembered[slot], texts))


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
