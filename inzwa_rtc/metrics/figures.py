"""The latest latencies of all turns, for charts: how it was in each of the last minutes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from inzwa_rtc.events import TurnMetrics

MOST_TURNS = 5_000  # an hour of 80 turns a minute, in half a megabyte
SPAN_S = 3600.0


class Sample(NamedTuple):
    """One turn's: when, on a clock that only goes forward, and its marks in ms."""

    at: float
    silence_ms: int
    transcript_ms: int
    first_token_ms: int
    first_audio_ms: int


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of how many turns, and what half and 95 in 100 of them stay below, in ms."""

    turns: int
    p50_ms: int
    p95_ms: int


@dataclass(frozen=True, slots=True)
class Minute:
    """The turns of one stretch of time that ended `ago_s` seconds ago."""

    ago_s: float
    stages: dict[str, Percentiles]


STAGES = ("silence", "recognition", "first_token", "first_audio", "round_trip")


class Figures:
    """Bounded in turns and in time; the oldest go first. `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._samples: deque[Sample] = deque(maxlen=MOST_TURNS)

    def add(self, times: TurnMetrics) -> None:
        """A turn's first audio has left."""
        now = self._clock()
        self._samples.append(
            Sample(
                now,
                times.silence_ms,
                times.transcript_ms,
                times.first_token_ms,
                times.first_audio_ms,
            )
        )
        while self._samples[0].at < now - SPAN_S:
            self._samples.popleft()

    def copy(self) -> Figures:
        """As they are now, to be looked at in another thread."""
        copied = Figures(self._clock)
        copied._samples = self._samples.copy()
        return copied

    def whole(self, span_s: float) -> dict[str, Percentiles]:
        """Each stage over the last `span_s` seconds; stages that nobody came through are left
        out."""
        since = self._clock() - span_s
        return _stages([one for one in self._samples if one.at >= since])

    def minutes(self, span_s: float, parts: int) -> list[Minute]:
        """The same for each of `parts` equal stretches of it, the oldest first."""
        now = self._clock()
        length = span_s / parts
        buckets: list[list[Sample]] = [[] for _ in range(parts)]
        for one in self._samples:
            number = int((one.at - (now - span_s)) // length)
            if 0 <= number < parts:
                buckets[number].append(one)
            elif number == parts:  # this very moment
                buckets[-1].append(one)
        return [
            Minute((parts - 1 - number) * length, _stages(samples))
            for number, samples in enumerate(buckets)
        ]


def _stages(samples: Sequence[Sample]) -> dict[str, Percentiles]:
    spoken = [one for one in samples if one.transcript_ms]
    values = {
        "silence": [one.silence_ms for one in spoken],
        "recognition": [one.transcript_ms - one.silence_ms for one in spoken],
        "first_token": [one.first_token_ms - one.transcript_ms for one in samples],
        "first_audio": [one.first_audio_ms - one.first_token_ms for one in samples],
        "round_trip": [one.first_audio_ms for one in samples],
    }
    return {name: percentiles(values[name]) for name in STAGES if values[name]}


def percentiles(values: Sequence[int]) -> Percentiles:
    """Of at least one value: each is a value that occurred (nearest rank)."""
    ordered = sorted(values)

    def rank(share: float) -> int:
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

    return Percentiles(len(ordered), rank(0.5), rank(0.95))
