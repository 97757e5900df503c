"""Ticks at which nobody is to be heard may be left out: nothing is heard later for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inzwa_rtc.engines.contracts import Haste
from inzwa_rtc.turntaking.ear import TICK_S, Ear
from inzwa_rtc.turntaking.looks import CYCLE, Cycle
from tests.support.listening import LoudNetwork
from tests.support.wire import LOUD, Wire

CALM = CYCLE - 1 - 2  # its count begins with 1


@given(st.integers(0, CYCLE - 1), st.integers(0, 100))
def test_who_is_in_no_haste_is_looked_at_behind_the_rests(begins: int, tick: int) -> None:
    cycle = Cycle(begins, tick)
    next_look = tick + 1 + cycle.rests(tick)
    due = [one for one in range(tick + 1, tick + 1 + CYCLE) if cycle.is_due(one, Haste.IN_TIME)]
    assert due[0] == next_look


@pytest.mark.parametrize("haste", [one for one in Haste if one is not Haste.IN_TIME])
def test_an_ear_never_rests_while_anybody_is_in_haste(haste: Haste) -> None:
    ear = Ear(LoudNetwork())
    calm, hasty = Wire(haste=Haste.IN_TIME), Wire(haste=haste)
    with ear.of_call().listening(calm):
        ear.tick(0.0)
        assert ear.rests() == CALM
        with ear.of_call().listening(hasty):
            assert ear.rests() == 0
        assert ear.rests() == CALM


def test_an_ear_that_nobody_speaks_to_needs_no_tick() -> None:
    assert Ear(LoudNetwork()).rests() >= CYCLE


@given(
    late_ms=st.lists(st.integers(0, 15), min_size=40, max_size=40),
    begun=st.integers(0, 20),
)
def test_calls_are_heard_as_if_no_tick_were_left_out(late_ms: list[int], begun: int) -> None:
    """However late a tick comes by itself, the first one too."""
    heard = [taken_at(late_ms, begun, leaves_out) for leaves_out in (False, True)]
    assert heard[0] == heard[1]
    assert len(heard[0]) >= 3


def taken_at(late_ms: list[int], begun: int, leaves_out: bool) -> list[int]:
    """The ticks at which a call that is in no haste, and begins after some, is listened to."""
    ear, wire, taken = Ear(LoudNetwork()), Wire(haste=Haste.IN_TIME), []
    with ear.of_call().listening(Wire(haste=Haste.IN_TIME)):
        for tick in range(begun):
            ear.tick(tick * TICK_S)
        with ear.of_call().listening(wire):
            last, rests = begun - 1, 0
            for tick in range(begun, begun + 40):
                wire.frames.append(LOUD)
                if leaves_out and tick - last <= rests:
                    continue
                ear.tick(tick * TICK_S + late_ms[tick - begun] / 1000, tick - last - 1)
                last, rests = tick, ear.rests()
                if not wire.frames:
                    taken.append(tick)
    return taken
