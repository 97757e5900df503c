"""`GET /metrics`: the figures of the server, in Prometheus' text format."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

import inzwa_rtc
from inzwa_rtc.metrics.state import (
    CacheFigures,
    EngineFigures,
    ServerFigures,
    SpeechFigures,
    StateCollector,
)
from signaling.api.operation import Answer, Operation
from signaling.calls import TRANSPORTS, Calls
from signaling.switchboard import Switchboard
from signaling.telemetry.telemetry import Telemetry

TEXT = "text/plain"


class Metrics:
    """The handler of `/metrics`."""

    def __init__(self, telemetry: Telemetry, calls: Calls, switchboard: Switchboard[Any]) -> None:
        self._telemetry = telemetry
        self._calls = calls
        self._switchboard = switchboard

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        return [
            Operation(
                *("GET", "/metrics", self.show, "Figures for Prometheus"),
                access="metrics",
                tag="operation",
                answers=(Answer(200, "docs/metrics.md names each one.", media_type=TEXT),),
            )
        ]

    async def show(self, _request: web.Request) -> web.Response:
        """All figures of this server, none of which names a caller or a call."""
        state = StateCollector(self.figures())
        shown = _Shown(state, self._telemetry.registry)
        # In a thread: it takes as long as a frame of audio, which calls may not wait.
        body = await asyncio.to_thread(generate_latest, shown)
        headers = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        return web.Response(body=body, headers=headers)

    def figures(self) -> ServerFigures:
        """How the server is now."""
        engines, load = self._switchboard.now, self._telemetry.load
        cache, counts = engines.cache, engines.cache.counts
        calls = Counter(dict.fromkeys(TRANSPORTS, 0))
        calls.update(call.transport for call in self._calls.all())
        return ServerFigures(
            version=inzwa_rtc.__version__,
            calls=calls,
            calls_limit=engines.settings.max_concurrent_sessions,
            takes_calls=self._calls.takes_calls,
            has_room=not self._calls.is_too_busy,
            outbound_late_s=self._calls.media.clock.lateness.p99_ms / 1000,
            cpu_percent=load.cpu_percent,
            memory_percent=load.memory_percent,
            engines=[
                EngineFigures(kind, one.name, one.state, one.restarts, one.breaker, one.in_flight)
                for kind, status in self._switchboard.status().items()
                for one in (status, *status.others)
            ],
            cache=CacheFigures(
                cache.size_bytes,
                len(cache),
                counts.hits,
                counts.disk_hits,
                counts.misses,
                counts.encodes_saved,
            ),
            speech=[
                SpeechFigures(
                    engine,
                    cost.characters,
                    cost.unpriced,
                    {currency: float(amount) for currency, amount in cost.amounts.items()},
                )
                for engine, cost in engines.spending.engines().items()
            ],
        )


class _Shown(Collector):
    """How the server is and what it has counted, without the times at which samples were made:
    as many lines again, of no use to a server that restarts its counters with its process."""

    def __init__(self, state: StateCollector, counted: CollectorRegistry) -> None:
        self._state = state
        self._counted = counted

    def collect(self) -> Iterator[Metric]:
        yield from self._state.collect()
        for family in self._counted.collect():
            family.samples = [one for one in family.samples if not one.name.endswith("_created")]
            yield family
