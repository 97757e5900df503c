"""The unit of audio inside a call: 20 ms of mono int16, encoded already or not."""

from __future__ import annotations

from dataclasses import dataclass

FRAME_MS = 20
BYTES_PER_SAMPLE = 2


@dataclass(frozen=True, slots=True)
class Frame:
    """20 ms of the caller's audio.

    `pcm` is int16 little-endian mono at `rate` Hz; `index` is the number of the
    first sample, counted from the start of the call. Time inside a call is this
    count, never the wall clock. `speech` is how probable speech is in it, 0 to 1.
    """

    pcm: bytes
    rate: int
    index: int
    speech: float = 0.0

    @property
    def samples(self) -> int:
        """Number of samples."""
        return len(self.pcm) // BYTES_PER_SAMPLE


@dataclass(frozen=True, slots=True)
class PlayoutFrame:
    """20 ms that a caller is to hear.

    `pcm` is int16 little-endian mono at the playout's rate, `packet` the same sound as Opus,
    where it was encoded before. One of the two may be empty: `pcm` only for a transport that
    takes packets.
    """

    pcm: bytes
    packet: bytes = b""


def frame_bytes(rate: int) -> int:
    """Bytes of one 20 ms frame at `rate` Hz."""
    return rate * FRAME_MS // 1000 * BYTES_PER_SAMPLE
