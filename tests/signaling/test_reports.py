"""The lines of calls are reported each for itself, to callers who are still there."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from inzwa_rtc.conversation.resumable import ResumablePeer
from inzwa_rtc.events import Event, NetworkMeasured
from inzwa_rtc.machine.load import MachineLoad
from inzwa_rtc.transport.clock import MediaClock
from inzwa_rtc.transport.punctuality import Percentiles
from signaling.load import judge
from tests.signaling.test_lines import Line
from tests.signaling.test_socket import socket
from tests.support.figures import figures
from tests.support.server import serving

NO_GREETING = {"greeting": ""}


class Failing:
    last_heard = 1.0

    def statistics(self) -> dict[str, float]:
        raise KeyError("jitter_ms")


async def test_a_line_that_fails_hides_no_other_and_is_told_of_once() -> None:
    async with (
        serving(call=NO_GREETING) as server,
        socket(server.url) as first,
        socket(server.url) as second,
    ):
        for client in (first, second):
            await client.send(type="start")
            await client.told("session.started")
        server.calls.all()[0].line = Failing()
        with capture_logs() as lines:
            for _ in range(3):
                server.calls.report_lines()
        assert [line["event"] for line in lines] == ["call.line_not_reported"]
        now = await figures(server.url)
        assert now.value("inzwa_waiting_audio_seconds_count") == 3
        for client in (first, second):
            await client.send(type="stop")
            await client.told("session.ended")


async def test_nothing_is_told_of_the_network_behind_the_end_of_a_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[Event] = []
    monkeypatch.setattr(ResumablePeer, "send", lambda _, event: sent.append(event))
    async with serving(call=NO_GREETING) as server, socket(server.url) as client:
        await client.send(type="start")
        while not sent:
            await client.ws.ping()
        (call,) = server.calls.all()
        call.line = line = Line()
        assert call.caller is not None
        for is_over in (False, True):
            call.caller.is_over = is_over
            line.heard(250)
            server.calls.report_lines()
        assert len([one for one in sent if isinstance(one, NetworkMeasured)]) == 1


async def test_the_operator_sees_whether_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MediaClock, "lateness", Percentiles(0, 50))
    async with serving(call=NO_GREETING, load={}) as server:
        before = await figures(server.url)
        assert before.value("inzwa_has_room") == 1
        async with socket(server.url) as client:
            await client.send(type="start")
            await client.told("session.started")
            judge(server.calls.media, MachineLoad(0, 0))
            now = await figures(server.url)
        assert now.value("inzwa_has_room") == 0
        assert now.value("inzwa_takes_calls") == 1
        assert now.value("inzwa_outbound_late_seconds") == 0.05
