"""A bad network, the same one every time: which packets arrive, and when.

`carry` takes packets with the times at which they were sent and gives them as they arrive.
A sender's own unevenness (a drifting clock, a stall) is in the times at which it sends.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Bursts:
    """Losses that come together (the model of Gilbert and Elliott).

    Each packet may turn the network bad (`begin`) or good again (`end`); a bad network loses
    `loss` of the packets. The mean burst is 1 / `end` packets long.
    """

    begin: float
    end: float
    loss: float = 1.0

    @property
    def share(self) -> float:
        """Of all packets, how many are lost in the long run."""
        return self.loss * self.begin / (self.begin + self.end)


@dataclass(slots=True)
class Impairment:
    """What happens to packets on their way. Shares are of all packets, times in milliseconds.

    Every packet takes `delay_ms`, give or take `jitter_ms` (evenly spread, each packet by
    itself: those that lie close together overtake each other), but never less than nothing.
    `reorder` of the packets take `reorder_ms` longer, and `duplicate` come a second time,
    within as much. `stall` is the chance that a packet finds the path blocked: it and all
    behind it wait for up to `stall_ms`, and then arrive at once, in order.
    """

    loss: float = 0.0
    bursts: Bursts | None = None
    delay_ms: float = 40.0
    jitter_ms: float = 0.0
    reorder: float = 0.0
    reorder_ms: float = 40.0
    duplicate: float = 0.0
    stall: float = 0.0
    stall_ms: float = 200.0
    seed: int = 0
    lost: int = field(default=0, init=False)
    _random: random.Random = field(init=False, repr=False)
    _is_bad: bool = field(default=False, init=False, repr=False)
    _blocked_until: float = field(default=-math.inf, init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def arrivals(self, sent_at: float) -> tuple[float, ...]:
        """When a packet arrives that is sent now, in seconds: never, once or twice.

        Packets are to be asked for in the order in which they are sent.
        """
        # Each packet uses up as many random numbers, whatever becomes of it: two networks of
        # one seed that differ in one thing do the same to each packet otherwise.
        turns, vanishes, sways, lags, repeats, again, blocks, length = (
            self._random.random() for _ in range(8)
        )
        if self._loses(turns, vanishes):
            self.lost += 1
            return ()
        if blocks < self.stall:
            self._blocked_until = max(self._blocked_until, sent_at + length * self.stall_ms / 1000)
        delay_ms = max(0.0, self.delay_ms + (2 * sways - 1) * self.jitter_ms)
        if lags < self.reorder:
            delay_ms += self.reorder_ms
        first = max(sent_at, self._blocked_until) + delay_ms / 1000
        if repeats < self.duplicate:
            return first, first + again * self.reorder_ms / 1000
        return (first,)

    def carry(self, packets: Iterable[tuple[float, _T]]) -> Iterator[tuple[float, _T]]:
        """Take packets with the times they are sent at, in order; give them as they arrive."""
        under_way: list[tuple[float, int, _T]] = []
        number = 0
        for sent_at, packet in packets:
            while under_way and under_way[0][0] <= sent_at:
                at, _, arrived = heappop(under_way)
                yield at, arrived
            for at in self.arrivals(sent_at):
                heappush(under_way, (at, number, packet))
                number += 1
        while under_way:
            at, _, arrived = heappop(under_way)
            yield at, arrived

    def _loses(self, turns: float, vanishes: float) -> bool:
        if self.bursts is not None:
            if turns < (self.bursts.end if self._is_bad else self.bursts.begin):
                self._is_bad = not self._is_bad
            if self._is_bad and vanishes < self.bursts.loss:
                return True
            # What the bursts leave is lost at random.
            vanishes = 1.0 - vanishes
        return vanishes < self.loss
