"""Figures of the last minutes, for the dashboard's charts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from inzwa_rtc.metrics.figures import Figures, Percentiles
from signaling.api.body import bad_json
from signaling.api.operation import Answer, Operation
from signaling.calls import Calls

PARTS = 30


class ChartQuery(BaseModel):
    """Of how many minutes."""

    minutes: Annotated[int, Field(ge=1, le=60)] = 15


class StageTimes(BaseModel):
    """Of so many turns, what half and 95 in 100 of them stay below."""

    turns: int
    p50_ms: int
    p95_ms: int


class ChartPart(BaseModel):
    """A stretch of time that ended `ago_s` seconds ago."""

    ago_s: float
    stages: dict[str, StageTimes]


class ServerCharts(BaseModel):
    """How the server is, and how quick its answers were. It `takes_calls` unless it is drained, and
    `has_room` unless it is too busy for one more; `late_ms` is by how much one in a hundred of its
    packets left late in the last 10 s. Stages are `silence`, `recognition`,
    `first_token`, `first_audio` and `round_trip`; those that no turn came through are left out."""

    span_s: int
    takes_calls: bool
    has_room: bool
    late_ms: float
    calls: int
    calls_limit: int
    cpu_percent: float
    memory_percent: float
    whole: dict[str, StageTimes]
    parts: list[ChartPart]


class Charts:
    """The handler of `/v1/admin/figures`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        return [
            Operation(
                *("GET", "/v1/admin/figures", self.show, "Latencies of the last minutes"),
                access="admin",
                tag="admin",
                query=ChartQuery,
                answers=(Answer(200, "The whole time, and its parts.", ServerCharts),),
            )
        ]

    async def show(self, request: web.Request) -> web.Response:
        """Each stage's median and 95th percentile, over the whole time and in 30 parts of it, the
        oldest first; and how busy the server is. At most the last 5,000 turns count."""
        try:
            query = ChartQuery.model_validate(dict(request.query))
        except ValidationError as error:
            raise bad_json(error) from None
        telemetry, span_s = self._calls.telemetry, query.minutes * 60
        # In a thread: an hour's turns take as long as a frame of audio, which calls may not wait.
        whole, parts = await asyncio.to_thread(_charts, telemetry.figures.copy(), span_s)
        told = ServerCharts(
            span_s=span_s,
            takes_calls=self._calls.takes_calls,
            has_room=not self._calls.is_too_busy,
            late_ms=round(self._calls.media.clock.lateness.p99_ms, 1),
            calls=len(self._calls),
            calls_limit=self._calls.settings.max_concurrent_sessions,
            cpu_percent=round(telemetry.load.cpu_percent, 1),
            memory_percent=round(telemetry.load.memory_percent, 1),
            whole=whole,
            parts=parts,
        )
        return web.json_response(told.model_dump())


def _charts(figures: Figures, span_s: float) -> tuple[dict[str, StageTimes], list[ChartPart]]:
    parts = [
        ChartPart(ago_s=part.ago_s, stages=_stages(part.stages))
        for part in figures.minutes(span_s, PARTS)
    ]
    return _stages(figures.whole(span_s)), parts


def _stages(stages: Mapping[str, Percentiles]) -> dict[str, StageTimes]:
    return {
        name: StageTimes(turns=one.turns, p50_ms=one.p50_ms, p95_ms=one.p95_ms)
        for name, one in stages.items()
    }
