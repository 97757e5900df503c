"""Traces for an OpenTelemetry collector, sent from a thread of the library's own.

A turn is one span with a child for each stage, made when the turn is over: nothing is begun that
a cancelled task could leave open. Requests are spans of their own, which turns of a call that was
begun by one link to. No attribute holds a word of anybody's.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from contextvars import Token
from dataclasses import dataclass, field, replace

import structlog
from opentelemetry import context as contexts
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import (
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import (
    Link,
    Span,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    TraceState,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes

import inzwa_rtc
from inzwa_rtc.events import Event, PlaybackEnded, PlaybackStarted, TurnInterrupted, TurnMetrics
from inzwa_rtc.observer import CANCELLED, Stage
from inzwa_rtc.settings.telemetry import TelemetrySettings
from inzwa_rtc.tracing.traces import CallTrace, RequestTrace

TRACES = "/v1/traces"
EXPORT_S = 2.0  # for a collector to take a batch; a shutdown waits no longer
SPANS_WAITING = 2048  # about a minute of 50 calls; what comes when it is full is dropped
TURNS_OPEN = 8  # those that came to nothing, such as coughs, are never closed

log = structlog.get_logger(__name__)


class OtelTraces:
    """Satisfies `Traces`. Belongs to one server."""

    def __init__(self, settings: TelemetrySettings, exporter: SpanExporter | None = None) -> None:
        # Failures are told once, by `_Told`; the library would tell of each attempt.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        endpoint = (settings.otlp_endpoint or "").rstrip("/") + TRACES
        exporter = exporter or OTLPSpanExporter(endpoint=endpoint, timeout=EXPORT_S)
        self._provider = TracerProvider(
            resource=Resource.create(
                {"service.name": settings.service_name, "service.version": inzwa_rtc.__version__}
            ),
            sampler=ParentBased(
                TraceIdRatioBased(settings.trace_share),
                remote_parent_sampled=_Drawn(settings.trace_share),
            ),
            shutdown_on_exit=False,
        )
        told = _Told(exporter)
        self._provider.add_span_processor(BatchSpanProcessor(told, max_queue_size=SPANS_WAITING))
        self._tracer = self._provider.get_tracer("inzwa_rtc")
        self._propagator = TraceContextTextMapPropagator()

    def request(self, operation: str, headers: Mapping[str, str]) -> RequestTrace:
        """As in `Traces`. To be ended in the task that it was begun in."""
        # Of the trace that it is part of only the numbers count; the rest is anybody's words.
        parent = self._propagator.extract({"traceparent": headers.get("traceparent", "")})
        method, _, route = operation.partition(" ")
        attributes = {"http.request.method": method, "http.route": route}
        span = self._tracer.start_span(operation, parent, SpanKind.SERVER, attributes)
        return _Request(span)

    def call(self, call_id: str, transport: str) -> CallTrace:
        """As in `Traces`."""
        begun_by = get_current_span().get_span_context()
        links = [Link(begun_by)] if begun_by.is_valid else []
        return _Call(self._tracer, call_id, transport, links)

    async def close(self) -> None:
        """As in `Traces`."""
        loop, sent = asyncio.get_running_loop(), asyncio.Event()

        def end() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # nobody waits any more, the loop is closed
                loop.call_soon_threadsafe(sent.set)

        # A thread that holds nothing up: the library tries again for as long as it likes.
        threading.Thread(target=end, name="traces-end", daemon=True).start()
        with suppress(TimeoutError):
            async with asyncio.timeout(EXPORT_S):
                await sent.wait()


class _Drawn(Sampler):
    """Takes so many of all, whatever their numbers: clients choose those themselves."""

    def __init__(self, share: float) -> None:
        self._share = share

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """As in `Sampler`."""
        is_taken = random.random() < self._share
        return SamplingResult(Decision.RECORD_AND_SAMPLE if is_taken else Decision.DROP, attributes)

    def get_description(self) -> str:
        """As in `Sampler`."""
        return f"Drawn{{{self._share}}}"


class _Request:
    def __init__(self, span: Span) -> None:
        self._span = span
        self._token: Token[Context] = contexts.attach(set_span_in_context(span))

    def ended(self, status: int) -> None:
        contexts.detach(self._token)
        self._span.set_attribute("http.response.status_code", status)
        if status >= 500:
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


@dataclass(frozen=True, slots=True)
class _Part:
    """A span to be: its times on the loop's clock."""

    name: str
    began: float
    ended: float
    error: str | None = None
    attributes: Mapping[str, str | int] = field(default_factory=dict)


class _Call:
    def __init__(self, tracer: Tracer, call_id: str, transport: str, links: list[Link]) -> None:
        self._tracer = tracer
        self._links = links
        self._attributes = {"inzwa.call": call_id, "inzwa.transport": transport}
        self._parts: dict[int, list[_Part]] = {}
        self._playing: dict[int, float] = {}

    def event(self, event: Event) -> None:
        now = time.monotonic()
        match event:
            case PlaybackStarted(turn=turn):
                self._playing[turn] = now
            case TurnMetrics(turn=turn, first_audio_ms=waited_ms):
                self._add(turn, _Part("first_audio", now - waited_ms / 1000, now))
            case PlaybackEnded(turn=turn) | TurnInterrupted(turn=turn):
                if (began := self._playing.pop(turn, None)) is not None:
                    self._add(turn, _Part("playout", began, now))
            case _:
                pass

    def stage(self, stage: Stage) -> None:
        if stage.name != "turn":
            self._add(stage.turn, _part(stage))
            return
        parts = self._parts.pop(stage.turn, [])
        began = min([stage.began, *(part.began for part in parts)])
        turn: dict[str, str | int] = {"inzwa.turn": stage.turn, **self._attributes}
        whole = replace(_part(stage), began=began)
        span = self._begin(whole, turn, None)
        for part in parts:
            _end(self._begin(part, {}, set_span_in_context(span)), part)
        _end(span, whole)

    def _add(self, turn: int, part: _Part) -> None:
        self._parts.setdefault(turn, []).append(part)
        while len(self._parts) > TURNS_OPEN:
            del self._parts[next(iter(self._parts))]

    def _begin(self, part: _Part, told: Mapping[str, str | int], parent: Context | None) -> Span:
        return self._tracer.start_span(
            part.name,
            parent or Context(),
            attributes={**told, **part.attributes},
            links=self._links if parent is None else (),
            start_time=_nanoseconds(part.began),
        )


def _part(stage: Stage) -> _Part:
    attributes: dict[str, str | int] = {}
    if stage.kind:
        attributes["inzwa.kind"] = stage.kind
    if stage.first is not None:
        attributes["inzwa.first_ms"] = round((stage.first - stage.began) * 1000)
    if stage.name == "reply":
        attributes["inzwa.tokens"] = stage.given
    if stage.error is not None:
        attributes["inzwa.ended_by"] = stage.error
    return _Part(stage.name, stage.began, stage.ended, stage.error, attributes)


def _end(span: Span, part: _Part) -> None:
    if part.error not in (None, CANCELLED):
        span.set_status(Status(StatusCode.ERROR))
    span.end(_nanoseconds(part.ended))


def _nanoseconds(at: float) -> int:
    """A time of the loop's clock as one of the calendar."""
    return time.time_ns() - round((time.monotonic() - at) * 1e9)


class _Told(SpanExporter):
    """Sends, and logs one line when that begins to fail and one when it works again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._fails = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """As in `SpanExporter`."""
        try:
            result = self._exporter.export(spans)
        except Exception:  # noqa: BLE001 - whatever the library trips on: traces are lost, no more
            result = SpanExportResult.FAILURE
        fails = result is not SpanExportResult.SUCCESS
        if fails != self._fails:
            self._fails = fails
            if fails:
                log.warning("traces.not_sent", action="Check `telemetry.otlp_endpoint`.")
            else:
                log.info("traces.sent_again")
        return result

    def shutdown(self) -> None:
        """As in `SpanExporter`."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """As in `SpanExporter`."""
        return self._exporter.force_flush(timeout_millis)
