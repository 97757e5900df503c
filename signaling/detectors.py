"""Voice detectors, one for each live call, used again by later ones.

Each holds the model for itself. An ended call is freed by the garbage collector, some dozens
of calls later; a detector that it took along would hold its 3 MB until then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol


class ReusableDetector(Protocol):
    """A `VoiceDetector` that can be used for another caller."""

    def feed(self, pcm: bytes) -> float:
        """As in `VoiceDetector`."""
        ...

    def reset(self) -> None:
        """Forget the caller."""
        ...


class Detectors:
    """Never more than there were calls at a time."""

    def __init__(self, new: Callable[[], ReusableDetector]) -> None:
        self._new = new
        self._free = [new()]  # the first call need not wait for the model either

    @contextmanager
    def lent(self) -> Iterator[ReusableDetector]:
        """One for the time of a call."""
        detector = self._free.pop() if self._free else self._new()
        try:
            yield detector
        finally:
            detector.reset()
            self._free.append(detector)
