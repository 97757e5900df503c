"""Frames are due 20 ms apart; a stall is skipped over, never made up for in a burst."""

from __future__ import annotations

import pytest

from inzwa_rtc.transport.pace import Pacer


def test_lateness_does_not_add_up() -> None:
    pacer = Pacer(100.0)
    assert pacer.next_frame(100.0) == (0, 0.0)
    assert pacer.next_frame(100.005)[1] == pytest.approx(0.015)
    assert pacer.next_frame(100.05) == (2, 0.0)
    assert pacer.next_frame(100.055)[1] == pytest.approx(0.005)


def test_after_a_stall_the_count_jumps_with_the_clock() -> None:
    pacer = Pacer(0.0)
    pacer.next_frame(0.0)
    number, wait = pacer.next_frame(5.0)
    assert number == pytest.approx(250, abs=1)
    assert wait == 0.0
    assert pacer.next_frame(5.001)[1] > 0
