"""Calls are refused while those that live are late, and only then."""

from __future__ import annotations

import pytest

from inzwa_rtc.settings import LoadSettings
from signaling.admission import Admission


@pytest.mark.parametrize(
    ("cpu_percent", "late_ms", "has_room"),
    [
        (0, 0, True),
        (95, 30, True),
        (0, 31, False),
        (100, 1, True),
        (96, 10, True),
        (96, 11, False),
        (100, 1000, False),
    ],
)
def test_lateness_refuses_and_busy_processors_only_where_packets_begin_to_be_late(
    cpu_percent: float, late_ms: float, *, has_room: bool
) -> None:
    admission = Admission(LoadSettings())
    admission.feed(cpu_percent, late_ms)
    assert admission.has_room == has_room


def test_there_is_room_again_once_both_are_well_below() -> None:
    admission = Admission(LoadSettings(full_cpu_percent=90, full_late_ms=30))
    loads = [(10, 31), (80, 24), (72, 25), (72, 24), (91, 11), (73, 9), (73, 8)]
    told = [admission.feed(*load) for load in loads]
    assert told == ["began", None, None, "ended", "began", None, "ended"]


def test_processors_that_are_busy_with_anothers_work_refuse_nobody() -> None:
    admission = Admission(LoadSettings())
    assert [admission.feed(100, late_ms) for late_ms in (0.1, 1, 3, 1)] == [None] * 4
    assert admission.has_room


def test_thresholds_of_all_there_is_refuse_nobody_for_the_processors() -> None:
    admission = Admission(LoadSettings(full_cpu_percent=100))
    admission.feed(100, 29)
    assert admission.has_room
    told = [admission.feed(100, late_ms) for late_ms in (31, 24)]
    assert told == ["began", "ended"]
