"""Who is in no haste is listened to less often, and hears the same."""

from __future__ import annotations

import pytest

from inzwa_rtc.engines.contracts import Haste
from inzwa_rtc.transport.pace import Pacer
from inzwa_rtc.turntaking.ear import TICK_S, Ear
from tests.support.listening import LoudNetwork
from tests.support.wire import LOUD, QUIET, Wire

CYCLE = 8
PUT_OFF = {
    Haste.EACH_FRAME: 0,
    Haste.EACH_WINDOW: 1,
    Haste.EACH_SOUND: 1,
    Haste.SOON: 2,
    Haste.IN_TIME: 7,
}
"""Frames that may wait behind a tick."""


class Call:
    """A call to an ear whose ticks come in time, each after a frame of the call's."""

    def __init__(self, haste: Haste, before: int = 0) -> None:
        self.network = LoudNetwork()
        self.ear = Ear(self.network)
        self.ticks = 0
        for _ in range(before):
            self.tick()
        self.wire = Wire(haste=haste)
        self.put: list[bytes] = []

    def tick(self, after: int = 1) -> None:
        """So many ticks after the last one."""
        self.ticks += after
        self.ear.tick(self.ticks * TICK_S)

    def hear(self, *frames: bytes) -> None:
        for frame in frames:
            self.put.append(frame)
            self.wire.frames.append(frame)
            self.tick()


@pytest.mark.parametrize("before", range(CYCLE))
@pytest.mark.parametrize("haste", PUT_OFF)
def test_frames_are_given_in_order_as_soon_as_they_are_wanted(haste: Haste, before: int) -> None:
    """In no haste, 160 ms after they have begun to come."""
    call, waited = Call(haste, before), []
    with call.ear.of_call().listening(call.wire):
        for number in range(5 * CYCLE):
            call.hear(LOUD[:-1] + bytes([number]))
            waited.append(len(call.wire.frames))
    assert max(waited) == PUT_OFF[haste]
    assert [pcm for pcm, _ in call.wire.given] == call.put[: len(call.put) - waited[-1]]


@pytest.mark.parametrize("before", range(CYCLE))
@pytest.mark.parametrize("haste", [Haste.EACH_FRAME, Haste.EACH_WINDOW, Haste.SOON])
def test_who_is_in_haste_of_a_sudden_is_listened_to_at_the_next_tick(
    haste: Haste, before: int
) -> None:
    """All the same at whichever tick it is."""
    call = Call(Haste.IN_TIME)
    with call.ear.of_call().listening(call.wire):
        call.hear(*[LOUD] * (2 * CYCLE + before))
        call.wire.haste = haste
        call.hear(LOUD)
    assert len(call.wire.frames) <= PUT_OFF[haste]


@pytest.mark.parametrize("stalled_at", range(CYCLE))
def test_who_was_to_be_listened_to_while_the_clock_stood_still_is_so_at_the_next_tick(
    stalled_at: int,
) -> None:
    call = Call(Haste.IN_TIME)
    with call.ear.of_call().listening(call.wire):
        call.hear(*[LOUD] * (CYCLE + stalled_at))
        call.wire.frames.extend([LOUD] * (CYCLE - len(call.wire.frames)))
        call.tick(after=CYCLE)
        assert not call.wire.frames


def test_silence_is_handed_on_at_once_and_judged_in_time() -> None:
    call = Call(Haste.EACH_FRAME)
    with call.ear.of_call().listening(call.wire):
        for number in range(4 * CYCLE):
            call.hear(QUIET)
            assert len(call.wire.given) == number + 1
    passes = [len(rows) for rows in call.network.passes]
    assert 3 <= len(passes) <= 4
    assert set(passes[1:]) == {5}


@pytest.mark.parametrize("silent", range(2 * CYCLE))
def test_a_sound_after_silence_is_judged_as_soon_as_the_network_can(silent: int) -> None:
    """With all the silence before it, which nobody has judged yet."""
    call = Call(Haste.EACH_FRAME)
    with call.ear.of_call().listening(call.wire):
        call.hear(*[QUIET] * silent, LOUD, LOUD)
    *before, _, last = [speech for _, speech in call.wire.given]
    assert last == pytest.approx(0.9)
    assert all(speech < 0.5 for speech in before)
    assert call.network.windows >= (silent + 2) * 320 // 512


def test_calls_in_any_haste_are_judged_in_one_pass_when_a_cycle_ends() -> None:
    network = LoudNetwork()
    ear, wires = Ear(network), [Wire(haste=haste) for haste in Haste]
    listening = [ear.of_call().listening(wire) for wire in wires]
    for one in listening:
        one.__enter__()
    for tick in range(1, 3 * CYCLE + 1):
        for wire in wires:
            wire.frames.append(LOUD)
        ear.tick(tick * TICK_S)
    for one in listening:
        one.__exit__(None, None, None)
    assert max(len(set(rows)) for rows in network.passes) == len(wires)
    assert len(network.passes) <= 3 * 5  # no more than for who is in most haste


def test_where_only_a_sound_is_awaited_silence_is_taken_no_sooner_than_in_no_haste() -> None:
    call, waited = Call(Haste.EACH_SOUND), []
    with call.ear.of_call().listening(call.wire):
        for _ in range(5 * CYCLE):
            call.hear(QUIET)
            waited.append(len(call.wire.frames))
        assert max(waited) == CYCLE - 1
        call.hear(LOUD)
        call.hear(LOUD)
        assert len(call.wire.frames) <= PUT_OFF[Haste.EACH_WINDOW]
        assert max(speech for _, speech in call.wire.given) > 0.5
    assert [pcm for pcm, _ in call.wire.given] == call.put[: len(call.wire.given)]
    assert 0 < call.wire.asked < len(call.put)


def test_whoever_cannot_be_asked_ends_alone() -> None:
    class Broken(Wire):
        def is_silent(self, now: float) -> bool:
            raise RuntimeError("broken")

    call, broken = Call(Haste.EACH_FRAME), Broken(haste=Haste.EACH_SOUND)
    with call.ear.of_call().listening(call.wire), call.ear.of_call().listening(broken):
        for _ in range(CYCLE):
            call.hear(LOUD)
    assert isinstance(broken.error, RuntimeError)
    assert [pcm for pcm, _ in call.wire.given] == call.put


@pytest.mark.parametrize("apart", [2, 3, 7])
def test_where_ticks_are_left_out_silence_is_taken_all_the_same(apart: int) -> None:
    """Whichever ticks those are: on a busy machine, always the ones at which a cycle ends."""
    for before in range(CYCLE):
        call = Call(Haste.EACH_SOUND, before)
        with call.ear.of_call().listening(call.wire):
            for _ in range(10 * CYCLE):
                call.wire.frames.extend([QUIET] * apart)
                call.tick(apart)
            assert len(call.wire.frames) < 3 * CYCLE
            behind = len(call.wire.given) * 320 - call.network.windows * 512
            assert behind <= (CYCLE + apart) * 320


def test_ticks_that_are_late_are_none_more() -> None:
    """Windows are whole where they are looked for, however unevenly ticks come."""
    network = LoudNetwork()
    ear, wire = Ear(network), Wire(haste=Haste.EACH_WINDOW)
    late = [0.0, 0.012, 0.0, 0.018, 0.004]
    with ear.of_call().listening(wire):
        for tick in range(1, 50 * CYCLE):
            wire.frames.append(LOUD)
            before = network.windows
            ear.tick(tick * TICK_S + late[tick % len(late)])
            if not wire.frames:  # it was looked at: for a window
                assert network.windows > before or tick < CYCLE
    assert len(wire.given) >= 50 * CYCLE - 3


@pytest.mark.parametrize("stall", [0.9, 1.2, 2.5, 4.2, 15.0, 60.0])
def test_after_a_stall_windows_are_looked_for_where_they_were(stall: float) -> None:
    """Of the clock's: it makes up for some ticks at once, and leaves out the others."""
    network = LoudNetwork()
    ear, wire = Ear(network), Wire(haste=Haste.EACH_WINDOW)
    pacer, now, frames = Pacer(0.0), 0.0, 0
    with ear.of_call().listening(wire):
        while now < 50 + stall:
            if 30.0 <= now < 30.02:
                now += stall * TICK_S
            _, wait_s = pacer.next_frame(now)
            now += wait_s + 0.0005
            while (frames + 1) * TICK_S <= now - 0.01:
                wire.frames.append(LOUD)
                frames += 1
            before, waited = network.windows, len(wire.frames)
            ear.tick(now)
            if now > 35 + stall and len(wire.frames) < waited:
                assert network.windows > before
    assert network.windows * 512 >= frames * 320 - 3 * 512
