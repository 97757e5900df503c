"""What a recogniser decodes at once, what it makes of it, and where that is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from inzwa_rtc.engines.asr.waiting import Audio
from inzwa_rtc.engines.contracts import HeardWord


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is to be decoded at once. `context` is the text before it."""

    audio: Audio
    context: str
    is_final: bool
    """Whether quality counts for more than time."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a stretch was understood as. `words` have their times from its first sample; they
    may be missing."""

    text: str
    language: str
    confidence: float
    words: tuple[HeardWord, ...] = ()


Way = TypeVar("Way", contravariant=True)
"""How a decoding comes to its result: `Decoded` where a thread works it out, a coroutine for it
where a server does."""


class Decoders(Protocol[Way]):
    """Where stretches are decoded, such as the threads of `Workers`."""

    @property
    def is_one_free(self) -> bool:
        """Whether a decoding started now begins at once."""
        ...

    def start(self, decode: Callable[[], Way]) -> asyncio.Future[Decoded]:
        """Begin a decoding as soon as may be. Cancelling the result drops it."""
        ...

    def start_partial(self, decode: Callable[[], Way]) -> asyncio.Future[Decoded]:
        """The same for one that is cancelled, by the decoders themselves, where one of `start`
        would have to wait."""
        ...
