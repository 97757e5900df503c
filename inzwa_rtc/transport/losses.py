"""Whether a caller loses so much of what is sent that it should be encoded against that."""

from __future__ import annotations

HIGH = 0.12  # the share of packets from which on SILK's FEC is worth its price (docs/media.md)
LOW = 0.06  # and below which it is not any more
_REMEMBERED = 5  # reports, roughly: one of them tells of some 50 packets, and of chance


class Losses:
    """Tell it what the caller reports of packets of sound. `are_high` changes slowly."""

    def __init__(self) -> None:
        self.are_high = False
        self._share = 0.0

    def add(self, share: float) -> None:
        """Of the packets that were sent lately, this share got lost."""
        self._share += (share - self._share) / _REMEMBERED
        self.are_high = self._share >= (LOW if self.are_high else HIGH)
