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


def test_frames_that_are_left_out_pass_in_time() -> None:
    pacer = Pacer(100.0)
    assert pacer.next_frame(100.0) == (0, 0.0)
    number, wait = pacer.next_frame(100.005, left_out=3)
    assert number == 4
    assert wait == pytest.approx(0.075)
    assert pacer.next_frame(100.08)[0] == 5


@pytest.mark.parametrize(("now", "number"), [(100.005, 1), (100.03, 2), (100.079, 4)])
def test_one_that_is_left_out_may_come_after_all(now: float, number: int) -> None:
    pacer = Pacer(100.0)
    pacer.next_frame(100.0)
    pacer.next_frame(100.0, left_out=3)
    found, wait = pacer.sooner(now, least=1)
    assert found == number
    assert now + wait == pytest.approx(pacer.due(number))
    assert pacer.next_frame(now + wait)[0] == number + 1


def test_after_a_stall_the_count_jumps_with_the_clock() -> None:
    pacer = Pacer(0.0)
    pacer.next_frame(0.0)
    number, wait = pacer.next_frame(5.0)
    assert number == pytest.approx(250, abs=1)
    assert wait == 0.0
    assert pacer.next_frame(5.001)[1] > 0
