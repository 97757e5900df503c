"""Listens to all calls at once: one pass of the network for whoever is to be heard at a tick.

A call's microphone is asked for its new frames as often as its haste makes it worth while
(`looks`). They pass the call's noise suppressor, are cut into windows, and the windows of all
calls are judged together. Each frame is then given back with the probability of the newest window
that was whole by its end. What goes wrong with one call ends that one alone; what goes wrong with
the network, those that were to be judged at that tick.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import structlog

from inzwa_rtc.audio.frame import FRAME_MS
from inzwa_rtc.engines.contracts import Microphone, NoiseSuppressor, SharedVoiceDetector
from inzwa_rtc.turntaking.looks import CYCLE, Cycle, begin_beside
from inzwa_rtc.turntaking.silero import WINDOW, Rows, Windows
from inzwa_rtc.turntaking.stream import Stream
from inzwa_rtc.turntaking.weights import Floats

TICK_S = FRAME_MS / 1000
_EARLY = 0.1  # of a tick, by which it may come early and still count

log = structlog.get_logger(__name__)


class Network(Protocol):
    """As `Silero`: streams in rows, and the windows of many judged together."""

    windows: int
    silent_windows: int

    def begin(self) -> int:
        """A row for a new stream."""
        ...

    def end(self, row: int) -> None:
        """The stream is over."""
        ...

    def probabilities(self, windows: Windows, rows: Rows) -> Floats:
        """How probable speech is in the next windows of these streams."""
        ...


@dataclass(frozen=True, slots=True)
class Judged:
    """What one tick's judging took: seconds, windows, and those among them without a sound."""

    seconds: float
    windows: int
    silent: int


def tried(network: Network) -> None:
    """Have it judge a sound, as a stream of its own. Raises what is wrong with it."""
    row = network.begin()
    try:
        network.probabilities(np.ones((1, WINDOW), np.int16), np.array([row], np.intp))
    finally:
        network.end(row)


class Ear:
    """One for each process. Whoever keeps the time calls `tick` every 20 ms, but where it `rests`;
    `note` is told of each tick at which there was anything to judge."""

    def __init__(self, network: Network, note: Callable[[Judged], None] = lambda _: None) -> None:
        self._network = network
        self._note = note
        self._streams: dict[Stream, None] = {}
        self._tick = 0
        self._due_at = -math.inf  # the next tick
        self._made_up = 0  # ticks that the last one has taken with it
        self._has_failed = False  # the network, since it last judged calls

    def __len__(self) -> int:
        """How many calls there are, listened to or not."""
        return len(self._streams)

    def hears(self) -> bool:
        """Whether the network judges a sound now. It is tried, since nobody may be calling."""
        try:
            tried(self._network)
        except Exception:  # whatever it is, calls would fail of it
            if not self._has_failed:
                log.exception("ear.network_failed", calls=0)
            self._has_failed = True
            return False
        return True

    def of_call(self, suppressor: NoiseSuppressor | None = None) -> SharedVoiceDetector:
        """For one call, whose audio passes the suppressor before it is judged."""
        return _Detector(lambda microphone: self._listening(microphone, suppressor))

    def unheard(self) -> SharedVoiceDetector:
        """For a call that nobody listens to: time passes in it, and no frame has speech."""
        return _Detector(lambda microphone: self._open(microphone, None, None))

    def rests(self) -> int:
        """At how many of the next ticks nobody is to be heard."""
        return min((stream.rests(self._tick) for stream in self._streams), default=CYCLE)

    def tick(self, now: float, left_out: int = 0) -> None:
        """Listen to what has come since the last one. `now` is in seconds, monotonic; so many
        ticks before this one were left out, at which nobody was to be heard."""
        if not self._streams:
            self._due_at = -math.inf  # its ticks may go on at other times
            return
        tick = self._count(now, left_out)
        due = [one for one in tuple(self._streams) if self._is_due(one, tick, now)]
        streams = [one for one in due if self._is_well(one, one.gather, tick, now)]
        heard = [one for one in streams if one.windows]
        judged = self._judged(heard) if heard else None
        for stream in streams:
            if stream in self._streams:
                self._is_well(stream, stream.hand_on)
        if judged is not None:
            self._note(judged)  # last: an error of its own costs no call anything

    def _count(self, now: float, left_out: int) -> int:
        """The number of this tick, on the grid of time: a stall takes those of its time, and ticks
        that make up for it afterwards are none."""
        passed = (now - self._due_at) / TICK_S
        if math.isinf(passed):
            self._due_at, passed = now - TICK_S * left_out, float(left_out)
        if self._made_up and passed < -_EARLY:
            self._made_up = max(0, self._made_up - 1 - left_out)
            return self._tick
        # Those that were made up for are left out as well, where they are.
        ticks = 1 + max(0, left_out - self._made_up, math.floor(passed + _EARLY))
        self._made_up = max(0, ticks - 1 - left_out)
        self._tick += ticks
        self._due_at += TICK_S * ticks
        return self._tick

    def _judged(self, streams: Sequence[Stream]) -> Judged | None:
        """Judge these; None, and they are given up, where the network fails."""
        try:
            judged = self._judge(streams)
        except Exception as error:
            if not self._has_failed:  # it may do so at each tick, for all new calls
                log.exception("ear.network_failed", calls=len(streams))
            self._has_failed = True
            for stream in streams:
                self._give_up(stream, error)
            return None
        self._has_failed = False
        return judged

    def _judge(self, streams: Sequence[Stream]) -> Judged:
        """The windows of all: the first ones, the second ones of whoever has two, and so on."""
        network, began = self._network, time.perf_counter()
        windows, silent = network.windows, network.silent_windows
        most_first = sorted(streams, key=lambda one: -one.windows)
        judged = [
            (stream, number)
            for number in range(most_first[0].windows)
            for stream in most_first
            if stream.windows > number
        ]
        pcm = b"".join([stream.window(number) for stream, number in judged])
        heard = network.probabilities(
            np.frombuffer(pcm, np.int16).reshape(len(judged), WINDOW),
            np.array([stream.row for stream, _ in judged], np.intp),
        )
        for (stream, _), probability in zip(judged, heard.tolist(), strict=True):
            stream.judged.append(probability)
        return Judged(
            time.perf_counter() - began,
            network.windows - windows,
            network.silent_windows - silent,
        )

    def _is_well(self, stream: Stream, act: Callable[..., None], *given: float) -> bool:
        """Whether it did what it does without an error, which would end that call alone."""
        try:
            act(*given)
        except Exception as error:  # noqa: BLE001 - a suppressor's, or of whoever is handed on to
            self._give_up(stream, error)
            return False
        return True

    def _is_due(self, stream: Stream, tick: int, now: float) -> bool:
        """Whether to look at it; an error would end that call alone."""
        try:
            return stream.is_due(tick, now)
        except Exception as error:  # noqa: BLE001 - of whoever is asked what has come
            self._give_up(stream, error)
            return False

    def _give_up(self, stream: Stream, error: Exception) -> None:
        self._streams.pop(stream, None)
        stream.give_up(error)

    @contextmanager
    def _listening(
        self, microphone: Microphone, suppressor: NoiseSuppressor | None
    ) -> Iterator[None]:
        row = self._network.begin()
        try:
            with self._open(microphone, row, suppressor):
                yield
        finally:
            self._network.end(row)

    @contextmanager
    def _open(
        self, microphone: Microphone, row: int | None, suppressor: NoiseSuppressor | None
    ) -> Iterator[None]:
        cycle = Cycle(begin_beside(one.cycle for one in self._streams), self._tick)
        stream = Stream(microphone, cycle, row, suppressor)
        self._streams[stream] = None
        try:
            yield
        finally:
            self._streams.pop(stream, None)


@dataclass(frozen=True, slots=True)
class _Detector:
    """Satisfies `SharedVoiceDetector`."""

    listening: Callable[[Microphone], AbstractContextManager[None]]
