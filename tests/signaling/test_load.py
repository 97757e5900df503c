"""The log says when replies begin to be shortened and when they no longer are, no more."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from inzwa_rtc.conversation.shedding import Shedding
from inzwa_rtc.machine.load import LoadMeter, MachineLoad
from inzwa_rtc.settings import LoadSettings
from signaling import load
from signaling.load import tell, watch


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
