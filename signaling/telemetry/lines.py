"""The connections of one call, one after the other: what their network was, and what it lost over
all of them. Sans I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from inzwa_rtc.audio.frame import FRAME_MS
from inzwa_rtc.metrics.calls import LineReport
from inzwa_rtc.transport.quality import Quality

JUDGED_PACKETS: Final = 100
"""Expected at least, before their loss is judged: 2 s of talk. While nobody speaks a caller sends
some 12 packets in 5 s (DTX), of which a single lost one would be 8 %."""


@runtime_checkable
class Line(Protocol):
    """A transport that counts what it does."""

    @property
    def last_heard(self) -> float:
        """When anything came from the caller that is truly theirs."""
        ...

    def statistics(self) -> Mapping[str, float]:
        """Since the connection began; with `packets` where it has any."""
        ...


@dataclass(frozen=True, slots=True)
class Interval:
    """A line since its last report; `quality` where anything is known of its network."""

    report: LineReport
    quality: Quality | None


class Lines:
    """Of one call. A connection that another has taken the place of is looked at once more: its
    last moments were its worst."""

    def __init__(self) -> None:
        self.frames_dropped = 0.0
        self._lost = self._received = 0.0
        self._now: _Since | None = None

    @property
    def loss(self) -> float | None:
        """Share of packets that were lost, over the whole call."""
        return share(self._lost, self._received)

    def look(self, line: Line) -> list[Interval]:
        """How it was since the last look; before that, how the line before it ended."""
        before = self._now
        if before is not None and before.line is line:
            return [self._counted(before)]
        self._now = _Since(line)
        ended = [] if before is None else [self._counted(before)]
        return [*ended, self._counted(self._now)]

    def _counted(self, since: _Since) -> Interval:
        interval = since.look()
        self._lost += since.lost
        self._received += since.received
        self.frames_dropped += since.frames_dropped
        return interval


class _Since:
    """One line, and what it has told before."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.lost = self.received = self.frames_dropped = 0.0  # of the newest interval
        self._told: Mapping[str, float] = {}
        self._heard_at = -1.0
        self._loss: float | None = None  # as it was judged last
        self._unjudged = (0.0, 0.0)  # lost and received, of intervals that were too few

    def look(self) -> Interval:
        before, now = self._told, self.line.statistics()
        self._told = now

        def since(name: str) -> float:
            return now.get(name, 0) - before.get(name, 0)

        self.lost, self.received = since("packets_lost"), since("packets")
        self.frames_dropped = since("frames_dropped")
        report = LineReport(
            loss=self._judged(),
            jitter_s=now["jitter_ms"] / 1000 if self.received else None,
            waiting_s=now["frames_waiting"] * FRAME_MS / 1000,
            concealed_s=since("concealed_ms") / 1000,
        )
        return Interval(report, self._quality(now, since("concealed_ms")))

    def _judged(self) -> float | None:
        """The loss of so many packets that one more or less says little; None until then."""
        lost, received = self._unjudged[0] + self.lost, self._unjudged[1] + self.received
        if lost + received < JUDGED_PACKETS:
            self._unjudged = lost, received
            return None
        self._unjudged = 0.0, 0.0
        self._loss = share(lost, received)
        return self._loss

    def _quality(self, now: Mapping[str, float], concealed_ms: float) -> Quality | None:
        """None while nothing is heard, and where neither packets nor RTCP tell of a network: what
        was known before may no longer be so."""
        is_heard = self.line.last_heard > self._heard_at
        self._heard_at = self.line.last_heard
        if not is_heard or not (self.received or now.get("round_trip_ms")):
            return None
        return Quality(
            loss=self._loss if self.received else None,
            lost_outward=now["lost_outward"],
            jitter_ms=now["jitter_ms"],
            concealed_ms=concealed_ms,
            buffer_ms=now["buffer_ms"],
            round_trip_ms=now["round_trip_ms"],
        )


def share(lost: float, received: float) -> float | None:
    """Of what was lost among all that was sent; None where that was nothing."""
    return lost / (lost + received) if lost + received > 0 else None
