"""Figures of calls: how many, how long, where the time of a turn went, how the network was."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram

from inzwa_rtc.events import (
    EndReason,
    Event,
    Failure,
    NetworkMeasured,
    PlaybackReleased,
    TurnInterrupted,
    TurnMetrics,
)
from inzwa_rtc.metrics.label import BoundedLabel
from inzwa_rtc.observer import CANCELLED, Queue, Stage

# Around what a caller notices: 0.2 s is at once, 1.2 s the goal for a whole round trip.
_WAITS_S = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0)
_SILENCING_S = (0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.3, 0.5)
_TOKENS_PER_S = (2, 5, 8, 10, 12, 15, 20, 30, 50, 100, 200)
_DEPTHS = (1, 2, 4, 8, 16, 24, 32)  # 32 tokens and 2 phrases are the most that wait
_CALLS_S = (5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)
_LOSS = (0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.5)
_JITTER_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2)
_SCORES = (1.5, 2.0, 2.5, 3.0, 3.5, 3.8, 4.0, 4.2, 4.3, 4.4)
_NETWORK_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)
_WAITING_S = (0.02, 0.06, 0.1, 0.2, 0.5, 1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class LineReport:
    """What one call's line did since the last report: shares from 0 to 1, times in seconds."""

    loss: float | None
    jitter_s: float | None
    waiting_s: float
    concealed_s: float


class CallMetrics:
    """All calls of one server."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def histogram(name: str, help_: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(name, help_, labels, registry=registry, buckets=buckets)

        def counter(name: str, help_: str, *labels: str) -> Counter:
            return Counter(name, help_, labels, registry=registry)

        self._codes = BoundedLabel()
        self._categories = BoundedLabel()
        waits = _WAITS_S
        self._silence = histogram(
            "inzwa_turn_silence_seconds", "Last voiced sample to the end of the turn", waits
        )
        self._recognition = histogram(
            "inzwa_turn_recognition_seconds", "End of the turn to the final transcript", waits
        )
        self._first_token = histogram(
            "inzwa_turn_first_token_seconds", "Final transcript to the first token", waits
        )
        self._first_audio = histogram(
            "inzwa_turn_first_audio_seconds", "First token to the first audio", waits
        )
        self._round_trip = histogram(
            "inzwa_turn_round_trip_seconds",
            "Last voiced sample, or typed text, to the first audio",
            waits,
            "input",
        )
        self._tokens = histogram(
            "inzwa_reply_tokens_per_second", "Pace of a reply's tokens", _TOKENS_PER_S
        )
        self._phrase = histogram(
            "inzwa_phrase_first_audio_seconds", "Phrase to its first audio", waits, "source"
        )
        self._silencing = histogram(
            "inzwa_barge_in_seconds", "Caller's first voice to the agent's silence", _SILENCING_S
        )
        self._depth = histogram(
            "inzwa_queue_depth", "Items in a turn's queue as one is added", _DEPTHS, "queue"
        )
        self._waiting = histogram(
            "inzwa_waiting_audio_seconds", "Caller's audio not taken yet", _WAITING_S
        )
        self._loss = histogram("inzwa_rtp_loss_ratio", "Share of RTP packets lost", _LOSS)
        self._jitter = histogram("inzwa_rtp_jitter_seconds", "Jitter of RTP packets", _JITTER_S)
        self._score = histogram(
            "inzwa_network_score", "Estimated opinion of a call's sound, from 1 to 4.4", _SCORES
        )
        self._sent_loss = histogram(
            "inzwa_rtp_sent_loss_ratio", "Share of sent RTP packets that callers report lost", _LOSS
        )
        self._buffered = histogram(
            "inzwa_rtp_buffered_seconds", "How long RTP packets wait for others", _JITTER_S
        )
        self._network = histogram(
            "inzwa_network_round_trip_seconds", "To a caller and back, by RTCP", _NETWORK_S
        )
        self._concealed = counter("inzwa_concealed_audio_seconds", "Audio that stands in for loss")
        self._dropped = counter("inzwa_dropped_audio_seconds", "Caller's audio given up", "where")
        self._seconds = histogram("inzwa_call_seconds", "Length of calls", _CALLS_S, "transport")
        self._started = counter("inzwa_calls_started", "Calls begun", "transport")
        self._ended = counter("inzwa_calls_ended", "Calls ended", "transport", "reason")
        self._resumed = counter("inzwa_calls_resumed", "Calls taken up again", "transport")
        self._refused = counter("inzwa_calls_refused", "Calls not taken", "code")
        self._turns = counter("inzwa_turns", "Turns answered", "kind")
        self._interrupted = counter("inzwa_turns_interrupted", "Replies that were cut")
        self._alarms = counter("inzwa_false_alarms", "Replies held for what was no speech")
        self._errors = counter("inzwa_stage_errors", "Stages that failed", "stage", "code")
        self._told = counter("inzwa_failures_told", "Failures that callers were told of", "code")
        self._refusals = counter("inzwa_safety_refusals", "Checks that refused", "category")

    def started(self, transport: str) -> None:
        """A call begins."""
        self._started.labels(transport).inc()

    def ended(self, transport: str, reason: EndReason, seconds: float) -> None:
        """A call is over."""
        self._ended.labels(transport, reason).inc()
        self._seconds.labels(transport).observe(seconds)

    def resumed(self, transport: str) -> None:
        """A call goes on over another connection, of this kind."""
        self._resumed.labels(transport).inc()

    def refused(self, code: str) -> None:
        """A call was not taken."""
        self._refused.labels(self._codes.of(code)).inc()

    def dropped(self, *, recogniser_s: float, inbox_s: float) -> None:
        """What a call has lost: to a lagging recogniser, to a lagging server."""
        self._dropped.labels("recogniser").inc(recogniser_s)
        self._dropped.labels("inbox").inc(inbox_s)

    def line(self, report: LineReport) -> None:
        """How a call's line was of late."""
        if report.loss is not None:
            self._loss.observe(report.loss)
        if report.jitter_s is not None:
            self._jitter.observe(report.jitter_s)
        self._waiting.observe(report.waiting_s)
        self._concealed.inc(report.concealed_s)

    def event(self, event: Event) -> None:
        """As in `CallObserver`."""
        match event:
            case TurnMetrics():
                self._latency(event)
            case NetworkMeasured():
                self._quality(event)
            case TurnInterrupted():
                self._interrupted.inc()
            case PlaybackReleased():
                self._alarms.inc()
            case Failure(code=code):
                self._told.labels(self._codes.of(code)).inc()
            case _:
                pass

    def stage(self, stage: Stage) -> None:
        """As in `CallObserver`."""
        if stage.name == "turn":
            self._turns.labels(stage.kind).inc()
        elif stage.error not in (None, CANCELLED):
            self._errors.labels(stage.name, self._codes.of(stage.error or "")).inc()
        if stage.name == "reply" and (pace := stage.per_second) is not None:
            self._tokens.observe(pace)
        if stage.name == "synthesise" and stage.first is not None:
            self._phrase.labels(stage.kind).observe(stage.first - stage.began)

    def waiting(self, queue: Queue, depth: int) -> None:
        """As in `CallObserver`."""
        self._depth.labels(queue).observe(depth)

    def barge_in(self, ms: int) -> None:
        """As in `CallObserver`."""
        self._silencing.observe(ms / 1000)

    def refusal(self, category: str) -> None:
        """A check has refused what was said, or what was about to be."""
        self._refusals.labels(self._categories.of(category)).inc()

    def _quality(self, event: NetworkMeasured) -> None:
        self._score.observe(event.score)
        self._sent_loss.observe(event.lost_outward)
        self._buffered.observe(event.buffer_ms / 1000)
        if event.round_trip_ms:
            self._network.observe(event.round_trip_ms / 1000)

    def _latency(self, times: TurnMetrics) -> None:
        is_typed = not times.transcript_ms
        if not is_typed:
            self._silence.observe(times.silence_ms / 1000)
            self._recognition.observe((times.transcript_ms - times.silence_ms) / 1000)
        self._first_token.observe((times.first_token_ms - times.transcript_ms) / 1000)
        self._first_audio.observe((times.first_audio_ms - times.first_token_ms) / 1000)
        label = "text" if is_typed else "voice"
        self._round_trip.labels(label).observe(times.first_audio_ms / 1000)
