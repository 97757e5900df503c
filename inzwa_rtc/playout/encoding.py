"""Speech that is encoded when it is written: when it is due, nothing is left but to send it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class PacketForm:
    """How a transport that sends Opus wants it: of at most `bitrate` bit/s, by encoders that
    `new_encoder` makes, and as it was kept from before, or not."""

    bitrate: int
    takes_kept: bool
    new_encoder: Callable[[], Encoder] = field(compare=False)


class Encoding:
    """Of one turn's speech, from its begin to its end in one form: that which is `wanted` when
    the first of it is written. So whoever is told what may be written, and waits, writes it."""

    def __init__(self, wanted: Callable[[], PacketForm | None]) -> None:
        self._wanted = wanted
        self._form: PacketForm | None = None
        self._encoder: Encoder | None = None
        self._is_behind = False

    @property
    def form(self) -> PacketForm | None:
        """None as long as no transport has said that it sends packets."""
        if self._form is None:
            self._form = self._wanted()
        return self._form

    def frame(self, pcm: bytes) -> PlayoutFrame:
        """The next frame, as it will be played."""
        if self._encoder is None:
            if self.form is None:
                return PlayoutFrame(pcm)
            self._encoder = self.form.new_encoder()
        if self._is_behind:
            self._encoder.reset()
            self._is_behind = False
        return PlayoutFrame(b"", self._encoder.encode(pcm))

    def passed_by(self) -> None:
        """Packets were written that it has not encoded: what it encoded last is not what is
        played last."""
        self._is_behind = True
