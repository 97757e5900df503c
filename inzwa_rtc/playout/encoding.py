"""Speech that is encoded when it is written: when it is due, nothing is left but to send it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from inzwa_rtc.audio.frame import PlayoutFrame


class Encoder(Protocol):
    """Encodes frames that follow one another."""

    def encode(self, pcm: bytes) -> bytes:
        """The packet of one frame."""
        ...

    def reset(self) -> None:
        """Rely on no frame before."""
        ...


class Encoding:
    """Of one turn's speech. `new_encoder` gives the way to make an encoder once a transport has
    said that it sends packets."""

    def __init__(self, new_encoder: Callable[[], Callable[[], Encoder] | None]) -> None:
        self._new_encoder = new_encoder
        self._encoder: Encoder | None = None
        self._is_behind = False

    def frame(self, pcm: bytes) -> PlayoutFrame:
        """The next frame, as it will be played."""
        if self._encoder is None:
            new = self._new_encoder()
            if new is None:
                return PlayoutFrame(pcm)
            self._encoder = new()
        if self._is_behind:
            self._encoder.reset()
            self._is_behind = False
        return PlayoutFrame(b"", self._encoder.encode(pcm))

    def passed_by(self) -> None:
        """Packets were written that it has not encoded: what it encoded last is not what is
        played last."""
        self._is_behind = True
