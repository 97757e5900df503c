"""A server's lateness is told from where its packets arrive, and nothing else."""

from __future__ import annotations

from array import array

import numpy as np
import pytest

from inzwa_rtc.bench.lateness import Arrivals


def arrivals(at: list[float], media_s: list[float], audible: list[bool] | None = None) -> Arrivals:
    return Arrivals.of(array("d", at), array("d", media_s), bytearray(audible or [True] * len(at)))


def evenly(count: int, start: float = 0.0) -> list[float]:
    return [start + number * 0.02 for number in range(count)]


def test_packets_that_come_as_they_were_made_are_never_late() -> None:
    seen = arrivals(evenly(100, start=5.0), evenly(100))
    assert seen.lateness_ms() == pytest.approx(np.zeros(100), abs=1e-6)


def test_a_packet_is_late_by_what_it_waited_longer_than_the_most_punctual_one() -> None:
    at = evenly(10, start=3.0)
    at[4] += 0.055
    late = arrivals(at, evenly(10)).lateness_ms()
    assert late[4] == pytest.approx(55)
    assert np.delete(late, 4) == pytest.approx(np.zeros(9), abs=1e-6)


def test_a_burst_after_a_stall_is_late_until_it_has_caught_up() -> None:
    at = [0.0, 0.02, 0.14, 0.14, 0.14, 0.14, 0.14, 0.14]
    late = arrivals(at, evenly(8)).lateness_ms()
    assert late == pytest.approx([0, 0, 100, 80, 60, 40, 20, 0])


def test_a_server_that_skips_the_time_of_its_stall_is_on_time_again_at_once() -> None:
    at = [0.0, 0.02, 0.14, 0.16]
    assert arrivals(at, [0.0, 0.02, 0.14, 0.16]).lateness_ms() == pytest.approx([0] * 4)


def test_a_stream_that_is_shifted_for_good_is_late_for_one_window_only() -> None:
    at, media = evenly(1500), evenly(1500)
    at[100:] = [moment + 0.2 for moment in at[100:]]
    late = arrivals(at, media).lateness_ms()
    assert late[100] == pytest.approx(200)
    assert late[-1] == pytest.approx(0, abs=1e-6)


def test_a_pause_whose_time_is_not_counted_makes_nothing_late() -> None:
    at = evenly(5) + evenly(5, start=4.0)
    late = arrivals(at, evenly(10)).lateness_ms()
    assert late == pytest.approx(np.zeros(10), abs=1e-6)


def test_sound_that_stops_and_goes_on_has_a_gap() -> None:
    seen = arrivals([0.0, 0.02, 0.12, 0.14], [0.0, 0.02, 0.12, 0.14])
    assert seen.gaps() == 1
    assert seen.heard_s() == pytest.approx(0.08)


@pytest.mark.parametrize(
    ("at", "audible"),
    [
        ([0.0, 0.02, 0.04], [True, True, True]),
        ([0.0, 0.02, 0.12], [True, False, True]),  # it had ended
        ([0.0, 0.02, 0.12], [True, True, False]),
        ([0.0, 0.02, 3.0], [True, True, True]),  # a pause of the conversation
    ],
)
def test_what_is_no_gap(at: list[float], audible: list[bool]) -> None:
    assert arrivals(at, at, audible).gaps() == 0


def test_nothing_is_known_of_a_call_in_which_nothing_came() -> None:
    seen = arrivals([], [])
    assert (len(seen.lateness_ms()), seen.gaps(), seen.heard_s()) == (0, 0, 0.0)
