"""The log says when replies begin to be shortened and when they no longer are, no more."""

from __future__ import annotations

from structlog.testing import capture_logs

from inzwa_rtc.conversation.shedding import Shedding
from inzwa_rtc.machine.load import MachineLoad
from inzwa_rtc.settings import LoadSettings
from signaling.load import tell


def test_the_log_has_one_line_for_each_change() -> None:
    shedding = Shedding(LoadSettings())
    with capture_logs() as lines:
        for cpu_percent in (10, 90, 95, 90, 20, 10):
            tell(shedding, MachineLoad(cpu_percent, 12.3))
    told = [(line["event"], line["cpu_percent"], line["memory_percent"]) for line in lines]
    assert told == [("load.short_replies_began", 90, 12), ("load.short_replies_ended", 20, 12)]
