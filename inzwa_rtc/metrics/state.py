"""Figures of how the server is, read when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_LAG_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 1.0)


@dataclass(frozen=True, slots=True)
class EngineFigures:
    """One engine now."""

    kind: str
    name: str
    state: str
    restarts: int
    breaker: str | None
    in_flight: int


@dataclass(frozen=True, slots=True)
class CacheFigures:
    """The kept phrases, counted since the start."""

    bytes: int
    phrases: int
    hits: int
    disk_hits: int
    misses: int
    encodes_saved: int


@dataclass(frozen=True, slots=True)
class SpeechFigures:
    """What one engine was given to speak since the start, and what that cost by currency."""

    engine: str
    characters: int
    unpriced: int
    costs: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ServerFigures:
    """All of it; `calls` by transport, loads in percent. A server `takes_calls` unless it is
    drained, and `has_room` unless it is too busy for one more."""

    version: str
    calls: Mapping[str, int]
    calls_limit: int
    takes_calls: bool
    has_room: bool
    outbound_late_s: float
    cpu_percent: float
    memory_percent: float
    engines: Sequence[EngineFigures]
    cache: CacheFigures
    speech: Sequence[SpeechFigures]


class StateCollector(Collector):
    """What was read, as metrics."""

    def __init__(self, now: ServerFigures) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """As prometheus_client asks it to."""
        now = self._now
        yield _gauge("inzwa_build_info", "The version", ["version"], [((now.version,), 1)])
        yield _gauge(
            "inzwa_calls",
            "Live calls",
            ["transport"],
            [((name,), count) for name, count in now.calls.items()],
        )
        yield _gauge("inzwa_calls_limit", "Most calls at a time", [], [((), now.calls_limit)])
        yield _gauge("inzwa_takes_calls", "0: the server is drained", [], [((), now.takes_calls)])
        yield _gauge("inzwa_has_room", "0: refused for the load", [], [((), now.has_room)])
        yield _gauge(
            "inzwa_outbound_late_seconds",
            "By how much packets left after they were due (99th percentile of 10 s)",
            [],
            [((), now.outbound_late_s)],
        )
        cpu, memory = now.cpu_percent / 100, now.memory_percent / 100
        yield _gauge("inzwa_load_cpu_ratio", "Processors in use", [], [((), cpu)])
        yield _gauge("inzwa_load_memory_ratio", "Memory in use", [], [((), memory)])
        yield from _engines(now.engines)
        yield from _cache(now.cache)
        yield from _speech(now.speech)


def loop_lag(registry: CollectorRegistry) -> Histogram:
    """By how much the event loop is late."""
    return Histogram(
        "inzwa_loop_lag_seconds",
        "Lateness of the event loop",
        registry=registry,
        buckets=_LAG_S,
    )


_Values = Sequence[tuple[tuple[str, ...], float]]


def _gauge(name: str, help_: str, labels: Sequence[str], values: _Values) -> Metric:
    family = GaugeMetricFamily(name, help_, labels=labels)
    for given, value in values:
        family.add_metric(given, value)
    return family


def _counter(name: str, help_: str, labels: Sequence[str], values: _Values) -> Metric:
    family = CounterMetricFamily(name, help_, labels=labels)
    for given, value in values:
        family.add_metric(given, value)
    return family


def _engines(engines: Sequence[EngineFigures]) -> Iterator[Metric]:
    labels = ["kind", "engine"]
    names = [(one.kind, one.name) for one in engines]
    yield _gauge(
        "inzwa_engine_state",
        "1 for the state that it is in",
        [*labels, "state"],
        [((one.kind, one.name, one.state), 1) for one in engines],
    )
    yield _gauge(
        "inzwa_engine_breaker",
        "1 for the state of its circuit breaker",
        [*labels, "state"],
        [((one.kind, one.name, one.breaker), 1) for one in engines if one.breaker],
    )
    in_flight = [one.in_flight for one in engines]
    yield _gauge(
        "inzwa_engine_in_flight",
        "Requests under way",
        labels,
        [*zip(names, in_flight, strict=True)],
    )
    restarts = [one.restarts for one in engines]
    yield _counter(
        "inzwa_engine_restarts",
        "Starts after the first",
        labels,
        [*zip(names, restarts, strict=True)],
    )


def _cache(cache: CacheFigures) -> Iterator[Metric]:
    yield _gauge("inzwa_phrase_cache_bytes", "Memory of kept phrases", [], [((), cache.bytes)])
    yield _gauge("inzwa_phrase_cache_phrases", "Phrases in memory", [], [((), cache.phrases)])
    memory_hits = cache.hits - cache.disk_hits
    found = [(("memory",), memory_hits), (("disk",), cache.disk_hits)]
    yield _counter("inzwa_phrase_cache_hits", "Phrases found", ["where"], found)
    yield _counter("inzwa_phrase_cache_misses", "Phrases not found", [], [((), cache.misses)])
    saved = [((), cache.encodes_saved)]
    yield _counter("inzwa_phrase_cache_encodes_saved", "Frames not encoded anew", [], saved)


def _speech(speech: Sequence[SpeechFigures]) -> Iterator[Metric]:
    yield _counter(
        "inzwa_speech_characters",
        "Characters that were sent to be spoken",
        ["engine"],
        [((one.engine,), one.characters) for one in speech],
    )
    yield _counter(
        "inzwa_speech_unpriced_characters",
        "Those among them without a price",
        ["engine"],
        [((one.engine,), one.unpriced) for one in speech],
    )
    yield _counter(
        "inzwa_speech_cost",
        "What speech has cost",
        ["engine", "currency"],
        [
            ((one.engine, currency), amount)
            for one in speech
            for currency, amount in one.costs.items()
        ],
    )
