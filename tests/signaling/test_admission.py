"""Calls are refused while those that live are late, and only then."""

from __future__ import annotations

import pytest

from inzwa_rtc.settings import LoadSettings
from signaling.admission import Admission


@pytest.mark.parametrize(
    ("cpu_percent", "late_ms", "has_room"),
    [(0, 0, True), (95, 30, True), (96, 0, False), (0, 31, False), (100, 1000, False)],
)
def test_there_is_room_up_to_either_threshold(
    cpu_percent: float, late_ms: float, *, has_room: bool
) -> None:
    admission = Admission(LoadSettings())
    admission.feed(cpu_percent, late_ms)
    assert admission.has_room == has_room


def test_there_is_room_again_once_both_are_well_below() -> None:
    admission = Admission(LoadSettings(full_cpu_percent=90, full_late_ms=20))
    loads = [(80, 25), (80, 19), (80, 16), (72, 16), (91, 0), (10, 0)]
    told = [admission.feed(*load) for load in loads]
    assert told == ["began", None, None, "ended", "began", "ended"]


def test_thresholds_of_all_there_is_refuse_nobody_for_the_processors() -> None:
    admission = Admission(LoadSettings(full_cpu_percent=100))
    admission.feed(100, 0)
    assert admission.has_room
