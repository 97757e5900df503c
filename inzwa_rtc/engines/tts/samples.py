"""A stream of bytes cut into chunks of whole samples. No I/O."""

from __future__ import annotations

from collections.abc import Iterator

SHORTEST_MS = 20
"""Of a chunk, but the last. A server that drips does not pass for one that speaks."""
FIRST_MS = 100
"""The longest first chunk: it leaves at once, however much came with it."""
LONGEST_MS = 500
"""The longest chunk after that."""


class Samples:
    """int16 little-endian mono of one speech, as it comes in pieces of any length.

    `made` is how many samples it has given.
    """

    def __init__(self, sample_rate: int, longest_s: float) -> None:
        self.made = 0
        self._rate = sample_rate
        self._most = int(longest_s * sample_rate)
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the chunks that are complete with this. Raises `ValueError` once they are longer
        than the speech can be."""
        self._held += data
        while len(self._held) >= self._bytes(SHORTEST_MS):
            whole = len(self._held) // 2 * 2
            size = min(whole, self._bytes(LONGEST_MS if self.made else FIRST_MS))
            yield self._take(size)

    def end(self) -> bytes:
        """The last chunk, which may be empty. Raises `ValueError` where half a sample is left."""
        if len(self._held) % 2:
            raise ValueError("it ends in the middle of a sample")
        return self._take(len(self._held))

    def _take(self, size: int) -> bytes:
        chunk = bytes(self._held[:size])
        del self._held[:size]
        self.made += size // 2
        if self.made > self._most:
            raise ValueError("it goes on and on")
        return chunk

    def _bytes(self, ms: int) -> int:
        return self._rate * ms // 1000 * 2
