"""Traces: a span for each turn with one for each stage, and one for each request."""

from __future__ import annotations

import asyncio
import sys

import aiohttp
import pytest
from structlog.testing import capture_logs

from inzwa_rtc.errors import ConfigError, EngineError
from inzwa_rtc.settings import Settings
from inzwa_rtc.settings.telemetry import TelemetrySettings
from inzwa_rtc.tracing.opening import opened
from inzwa_rtc.tracing.traces import NoTraces
from tests.signaling.test_socket import socket
from tests.support.collector import Collector, attributes, collecting
from tests.support.engines import ScriptedModel
from tests.support.server import serving

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
STATUS_ERROR = 2


async def typed(collector: Collector, llm: ScriptedModel) -> None:
    """A call with one typed question; the server ends, and has sent all by then."""
    settings = {"telemetry": {"otlp_endpoint": collector.url}, "call": {"greeting": ""}}
    async with serving(llm=llm, **settings) as server, socket(server.url) as client:
        await client.send(type="start")
        await client.send(type="text", text="hello")
        await client.told("tts.end")
        await client.send(type="stop")
        await client.closed()


async def test_a_turn_is_one_span_with_one_for_each_stage() -> None:
    async with collecting() as collector:
        await typed(collector, ScriptedModel("I am well. How are you?"))
    [turn] = collector.named("turn")
    children = [span for span in collector.spans if span.parent_span_id == turn.span_id]
    assert sorted(span.name for span in children) == [
        *("first_audio", "playout", "reply"),
        *("synthesise", "synthesise"),
    ]
    assert {span.trace_id for span in children} == {turn.trace_id}
    for span in children:
        assert turn.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
        assert span.end_time_unix_nano <= turn.end_time_unix_nano
    assert attributes(turn)["inzwa.kind"] == "text"
    assert attributes(collector.named("reply")[0])["inzwa.tokens"] == 6


async def test_a_stage_that_failed_says_so() -> None:
    async with collecting() as collector:
        await typed(collector, ScriptedModel(EngineError("It broke.", code="broken")))
    [reply] = collector.named("reply")
    assert reply.status.code == STATUS_ERROR
    assert attributes(reply)["inzwa.ended_by"] == "broken"


async def test_a_turn_links_to_the_request_that_began_its_call() -> None:
    async with collecting() as collector:
        await typed(collector, ScriptedModel("Yes."))
    [request] = collector.named("GET /v1/ws")
    [turn] = collector.named("turn")
    assert [link.span_id for link in turn.links] == [request.span_id]
    assert turn.trace_id != request.trace_id


async def test_a_request_is_part_of_the_trace_that_it_names() -> None:
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=canary"}
    async with collecting() as collector:
        async with serving(telemetry={"otlp_endpoint": collector.url}) as server:
            async with aiohttp.ClientSession(server.url, headers=headers) as http:
                await http.get("/v1/calls/canary")
    [span] = collector.spans
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    assert attributes(span) == {
        "http.request.method": "GET",
        "http.route": "/v1/calls/{id}",
        "http.response.status_code": 401,
    }
    assert b"canary" not in collector.raw


async def test_no_client_has_itself_traced_where_nobody_is() -> None:
    async with collecting() as collector:
        settings = {"otlp_endpoint": collector.url, "trace_share": 0.0}
        async with serving(telemetry=settings) as server:
            for number in ("0" * 31 + "1", TRACE):
                headers = {"traceparent": f"00-{number}-{PARENT}-01"}
                async with aiohttp.ClientSession(server.url, headers=headers) as http:
                    async with http.get("/v1/info") as answer:
                        await answer.read()
    assert collector.spans == []


async def test_a_collector_that_is_gone_costs_one_log_line_and_no_call() -> None:
    async with collecting() as collector:
        pass
    with capture_logs() as lines:
        await typed(collector, ScriptedModel("Yes."))
        await asyncio.sleep(0)
    assert [line["event"] for line in lines if line["event"].startswith("traces")] == [
        "traces.not_sent"
    ]


async def test_nothing_is_traced_unless_it_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(opened(Settings().telemetry), NoTraces)


def test_a_server_that_should_trace_and_cannot_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "inzwa_rtc.tracing.otel", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ConfigError, match=r"inzwa-rtc\[otel\]"):
        opened(TelemetrySettings(otlp_endpoint="http://localhost:4318"))
