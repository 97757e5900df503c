"""Watches over one call: tells the figures, the log and the traces of it, none of its words."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Literal

import structlog

from inzwa_rtc.audio.frame import FRAME_MS, Frame
from inzwa_rtc.conversation.peer import Back, Command, Gone, Peer
from inzwa_rtc.engines.contracts import Haste
from inzwa_rtc.events import (
    Event,
    Failure,
    NetworkMeasured,
    PlaybackEnded,
    PlaybackHeld,
    PlaybackReleased,
    PlaybackStarted,
    SessionStarted,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    Transcript,
    TurnInterrupted,
    TurnMetrics,
    TurnRefused,
)
from inzwa_rtc.metrics.calls import CallMetrics
from inzwa_rtc.metrics.figures import Figures
from inzwa_rtc.observer import Queue, Stage
from inzwa_rtc.playout.playout import Playout
from inzwa_rtc.tracing.traces import CallTrace
from inzwa_rtc.transport.quality import network_measured
from signaling.telemetry.lines import Line, Lines

State = Literal["connecting", "listening", "hearing", "thinking", "speaking", "held"]

log = structlog.get_logger(__name__)


class CallWatch:
    """Satisfies `CallObserver`. What it knows of the call now is there to be read."""

    def __init__(self, metrics: CallMetrics, figures: Figures, trace: CallTrace) -> None:
        self.state: State = "connecting"
        self.language = ""
        self.latest: TurnMetrics | None = None
        self.score: float | None = None
        """Of the network now, where it is known."""
        self.failures = 0
        self._metrics = metrics
        self._figures = figures
        self._trace = trace
        self._lines = Lines()

    @property
    def loss(self) -> float | None:
        """Share of packets that were lost, over the whole call."""
        return self._lines.loss

    @property
    def dropped_s(self) -> float:
        """The caller's audio that was given up as it was not taken in time."""
        return self._lines.frames_dropped * FRAME_MS / 1000

    def event(self, event: Event) -> None:
        """As in `CallObserver`."""
        self._metrics.event(event)
        self._trace.event(event)
        self._follow(event)
        match event:
            case SessionStarted(language=language) | SessionUpdated(language=language):
                self.language = language
            case TurnMetrics():
                self.latest = event
                self._figures.add(event)
            case TurnRefused(category=category):
                self._metrics.refusal(category)
            case Failure(code=code, turn=turn) if turn is not None:
                self.failures += 1
                log.warning("turn.failed", turn=turn, code=code)
            case _:
                pass

    def listens(self, language: str) -> None:
        """A dictation begins, which is told no events of a call."""
        self.state = "listening"
        self.language = language

    def stage(self, stage: Stage) -> None:
        """As in `CallObserver`."""
        self._metrics.stage(stage)
        self._trace.stage(stage)

    def waiting(self, queue: Queue, depth: int) -> None:
        """As in `CallObserver`."""
        self._metrics.waiting(queue, depth)

    def barge_in(self, ms: int) -> None:
        """As in `CallObserver`."""
        self._metrics.barge_in(ms)

    def report(self, line: Line) -> NetworkMeasured | None:
        """Count what the call's line did since the last report; how its network was meanwhile,
        where that is known."""
        measured: NetworkMeasured | None = None
        for interval in self._lines.look(line):
            self._metrics.line(interval.report)
            quality = interval.quality
            measured = None if quality is None else network_measured(quality)
            if measured is not None:
                self._metrics.event(measured)
        self.score = None if measured is None else measured.score
        return measured

    def _follow(self, event: Event) -> None:
        match event:
            case SessionStarted() | PlaybackEnded() | TurnInterrupted():
                self.state = "listening"
            case SpeechStarted():
                self.state = "hearing"
            case SpeechStopped():
                self.state = "thinking"
            case Transcript(is_final=True, text=""):
                self.state = "listening"
            case PlaybackStarted() | PlaybackReleased():
                self.state = "speaking"
            case PlaybackHeld():
                self.state = "held"
            case _:
                pass


class ObservedPeer:
    """A peer whose caller is told nothing that the watch does not learn of."""

    def __init__(self, peer: Peer, watch: CallWatch) -> None:
        self._peer = peer
        self._watch = watch

    @property
    def out_sample_rate(self) -> int:
        """As in `Peer`."""
        return self._peer.out_sample_rate

    def play(self, playout: Playout) -> None:
        """As in `Peer`."""
        self._peer.play(playout)

    def listen(self, haste: Haste) -> None:
        """As in `Peer`."""
        self._peer.listen(haste)

    def receive(self) -> AsyncGenerator[Frame | Command | Gone | Back, None]:
        """As in `Peer`."""
        return self._peer.receive()

    def send(self, event: Event) -> None:
        """As in `Peer`."""
        self._watch.event(event)
        self._peer.send(event)
