"""Puts RTP packets in order and gives up on lost ones, without delaying the rest.

Recognition needs no playout clock, so a packet that comes in order goes on at
once. Only behind a gap do packets wait, and no longer than `MAX_WAIT_S` or
`MAX_HELD` packets. Synchronous: arrival times are arguments, in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_WAIT_S = 0.06  # reordering beyond three frames is rarer than loss
MAX_HELD = 4
MAX_GAP = 200  # a jump by more is a new stream (4 s of audio)
_SEQUENCE = 1 << 16


@dataclass(frozen=True, slots=True)
class Lost:
    """A packet that will not come; `following` is the next one's payload (it may carry FEC)."""

    following: bytes


class ReorderBuffer:
    """Feed packets in order of arrival; take payloads in order of sequence."""

    def __init__(self) -> None:
        self.lost = 0
        self.late = 0
        self._next: int | None = None
        self._held: dict[int, tuple[bytes, float]] = {}

    def push(self, sequence: int, payload: bytes, now: float) -> list[bytes | Lost]:
        """Add a packet; return what can be decoded now, in order."""
        if self._next is None:
            self._next = sequence
        ahead = (sequence - self._next) % _SEQUENCE
        if ahead >= _SEQUENCE - MAX_GAP:
            self.late += 1  # it was given up on, or is a duplicate
            return []
        if ahead > MAX_GAP:
            self._held.clear()
            self._next = sequence
        self._held.setdefault(sequence, (payload, now))
        out: list[bytes | Lost] = self._in_order()
        while self._held and self._is_overdue(now):
            following = self._held[min(self._held, key=self._distance)][0]
            while self._next not in self._held:
                self.lost += 1
                self._next = (self._next + 1) % _SEQUENCE
                out.append(Lost(following))
            out += self._in_order()
        return out

    def _in_order(self) -> list[bytes | Lost]:
        out: list[bytes | Lost] = []
        while self._next in self._held:
            out.append(self._held.pop(self._next)[0])
            self._next = (self._next + 1) % _SEQUENCE
        return out

    def _is_overdue(self, now: float) -> bool:
        oldest = min(arrival for _, arrival in self._held.values())
        return len(self._held) > MAX_HELD or now - oldest >= MAX_WAIT_S

    def _distance(self, sequence: int) -> int:
        return (sequence - (self._next or 0)) % _SEQUENCE
