"""The log says when replies begin to be shortened and when they no longer are, no more."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from inzwa_rtc.conversation.shedding import Shedding
from inzwa_rtc.machine.load import LoadMeter, MachineLoad
from inzwa_rtc.settings import LoadSettings
from inzwa_rtc.transport.clock import MediaClock
from inzwa_rtc.transport.punctuality import Percentiles
from inzwa_rtc.turntaking.ear import Ear
from signaling import load
from signaling.admission import Admission
from signaling.load import admit, judge, tell, watch
from signaling.media import Media
from signaling.watching import watching
from tests.support.listening import LoudNetwork


def test_the_log_has_one_line_for_each_change() -> None:
    shedding = Shedding(LoadSettings())
    with capture_logs() as lines:
        for cpu_percent in (10, 90, 95, 90, 20, 10):
            tell(shedding, MachineLoad(cpu_percent, 12.3))
    told = [(line["event"], line["cpu_percent"], line["memory_percent"]) for line in lines]
    assert told == [("load.short_replies_began", 90, 12), ("load.short_replies_ended", 20, 12)]


class Failing(LoadMeter):
    """Reads a busy machine, then no more."""

    def __init__(self) -> None:
        super().__init__(readings=1, groups=())
        self.loads = [MachineLoad(95, 12)]

    def read(self) -> MachineLoad:
        if not self.loads:
            raise OSError("There is no /proc any more.")
        return self.loads.pop()


async def test_a_load_that_cannot_be_read_any_more_shortens_no_reply_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(load, "EVERY_S", 0)
    shedding = Shedding(LoadSettings())
    with capture_logs() as lines:
        with pytest.raises(OSError, match="/proc"):
            await watch(shedding, Failing())
    assert [line["event"] for line in lines] == [
        "load.short_replies_began",
        "load.short_replies_ended",
    ]
    assert shedding.tokens(1000) == 1000


class Late(MediaClock):
    """Has left its packets so late."""

    late_ms = 0.0

    @property
    def lateness(self) -> Percentiles:
        return Percentiles(0, self.late_ms)


def media(clock: MediaClock) -> Media:
    return Media(clock, Ear(LoudNetwork()), Admission(LoadSettings()))


def test_the_log_says_when_calls_begin_to_be_refused_and_when_they_no_longer_are() -> None:
    clock = Late()
    of_server = media(clock)
    with capture_logs() as lines:
        for clock.late_ms in (1, 40, 50, 25, 20):
            judge(of_server, MachineLoad(50, 12))
    told = [(line["event"], line["late_ms"], line["cpu_percent"]) for line in lines]
    assert told == [
        ("load.refusing_calls_began", 40, 50),
        ("load.refusing_calls_ended", 20, 50),
    ]


async def test_where_the_load_cannot_be_read_lateness_still_refuses_and_admits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(load, "EVERY_S", 0)
    clock, now = Late(), MachineLoad(0, 0)
    of_server = media(clock)

    def note(read: MachineLoad) -> None:
        nonlocal now
        now = read

    shedding = Shedding(LoadSettings())
    async with (
        asyncio.timeout(10),
        watching(
            load=lambda: watch(shedding, Failing(), note),
            admission=lambda: admit(of_server, lambda: now),
        ),
    ):
        for clock.late_ms, has_room in ((40, False), (1, True), (40, False)):
            while of_server.admission.has_room != has_room:  # noqa: ASYNC110 - a load is no event
                await asyncio.sleep(0)
