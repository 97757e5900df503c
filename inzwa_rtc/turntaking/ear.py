"""Listens to all calls at once: one pass of the network every 20 ms, whoever speaks.

A call's microphone is asked for its new frames at each tick. They pass the call's noise
suppressor, are cut into windows, and the windows of all calls are judged together. Each frame is
then given back with the probability of the newest window that was whole by its end. A call that
was stalled has several windows: as many passes follow each other, a few at each tick, until it
has caught up. What goes wrong with one call ends that one alone; what goes wrong with the
network, those that were to be judged at that tick.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import structlog

from inzwa_rtc.engines.contracts import Microphone, NoiseSuppressor, SharedVoiceDetector
from inzwa_rtc.turntaking.silero import WINDOW, Rows, Windows
from inzwa_rtc.turntaking.stream import Stream
from inzwa_rtc.turntaking.weights import Floats

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
        """How probable speech is in the next window of each of these streams."""
        ...


@dataclass(frozen=True, slots=True)
class Judged:
    """What one tick's judging took: seconds, windows, and those among them without a sound."""

    seconds: float
    windows: int
    silent: int


class Ear:
    """One for each process. Whoever keeps the time calls `tick` every 20 ms; `note` is told of
    each tick at which there was anything to judge."""

    def __init__(self, network: Network, note: Callable[[Judged], None] = lambda _: None) -> None:
        self._network = network
        self._note = note
        self._streams: dict[Stream, None] = {}
        self._has_failed = False  # the network, at the last tick that asked it anything

    def __len__(self) -> int:
        """How many calls there are, listened to or not."""
        return len(self._streams)

    def of_call(self, suppressor: NoiseSuppressor | None = None) -> SharedVoiceDetector:
        """For one call, whose audio passes the suppressor before it is judged."""
        return _Detector(lambda microphone: self._listening(microphone, suppressor))

    def unheard(self) -> SharedVoiceDetector:
        """For a call that nobody listens to: time passes in it, and no frame has speech."""
        return _Detector(lambda microphone: self._open(Stream(microphone, None)))

    def tick(self, now: float) -> None:
        """Listen to what has come since the last one. `now` is in seconds, monotonic."""
        streams = [one for one in tuple(self._streams) if self._is_well(one, one.gather, now)]
        heard = [one for one in streams if one.windows]
        judged = self._judged(heard) if heard else None
        for stream in streams:
            if stream in self._streams:
                self._is_well(stream, stream.hand_on)
        if judged is not None:
            self._note(judged)  # last: an error of its own costs no call anything

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
        """Pass by pass, the windows of all that have one."""
        network, began = self._network, time.perf_counter()
        windows, silent = network.windows, network.silent_windows
        number = 0
        while streams:
            rows = np.array([one.row for one in streams], np.intp)
            pcm = b"".join([one.window(number) for one in streams])
            heard = network.probabilities(
                np.frombuffer(pcm, np.int16).reshape(len(streams), WINDOW), rows
            )
            for stream, probability in zip(streams, heard.tolist(), strict=True):
                stream.judged.append(probability)
            number += 1
            streams = [one for one in streams if one.windows > number]
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

    def _give_up(self, stream: Stream, error: Exception) -> None:
        self._streams.pop(stream, None)
        stream.give_up(error)

    @contextmanager
    def _listening(
        self, microphone: Microphone, suppressor: NoiseSuppressor | None
    ) -> Iterator[None]:
        row = self._network.begin()
        try:
            with self._open(Stream(microphone, row, suppressor)):
                yield
        finally:
            self._network.end(row)

    @contextmanager
    def _open(self, stream: Stream) -> Iterator[None]:
        self._streams[stream] = None
        try:
            yield
        finally:
            self._streams.pop(stream, None)


@dataclass(frozen=True, slots=True)
class _Detector:
    """Satisfies `SharedVoiceDetector`."""

    listening: Callable[[Microphone], AbstractContextManager[None]]
