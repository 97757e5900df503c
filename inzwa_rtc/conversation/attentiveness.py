"""How closely a caller is listened to: no more than is of use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from inzwa_rtc.engines.contracts import Haste


class Ears(Protocol):
    """Whoever hears when the caller speaks."""

    @property
    def is_hearing(self) -> bool:
        """Whether the caller is speaking, or pausing within a turn."""
        ...

    @property
    def haste(self) -> Haste:
        """How soon they want what comes next, as long as nothing is said to the caller."""
        ...

    @property
    def is_deciding(self) -> bool:
        """Whether one frame of voice more would hold what is said to the caller, begin a turn into
        it, or cut it."""
        ...


class Conversation(Protocol):
    """Whoever knows what is said to the caller."""

    @property
    def is_answering(self) -> bool:
        """Whether there is an answer, or the wait for one, that a caller could speak into."""
        ...


class Attentiveness:
    """`listen` is told of each change of haste."""

    def __init__(self, ears: Ears, floor: Conversation, listen: Callable[[Haste], None]) -> None:
        self._ears = ears
        self._floor = floor
        self._listen = listen
        self._told: Haste | None = None

    def review(self) -> None:
        """To be called when either may have changed. Who speaks into an answer, or before it, is
        heard at once."""
        haste = self._ears.haste
        if haste is not Haste.EACH_FRAME and self._floor.is_answering:
            haste = self._into_an_answer(haste)
        if haste is not self._told:
            self._told = haste
            self._listen(haste)

    def _into_an_answer(self, haste: Haste) -> Haste:
        if self._ears.is_deciding:
            return Haste.EACH_FRAME
        is_quiet = haste is Haste.IN_TIME and not self._ears.is_hearing
        return Haste.EACH_SOUND if is_quiet else Haste.EACH_WINDOW
