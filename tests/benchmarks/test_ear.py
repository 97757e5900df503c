"""A benchmark's ear tells how sound was interrupted, and takes no silence for that."""

from __future__ import annotations

from benchmarks.ear import Arrival, Ear


def heard(*arrivals: tuple[float, bool]) -> Ear:
    return Ear(arrivals=[Arrival(at, is_audible) for at, is_audible in arrivals])


def test_a_wait_is_counted_from_sound_to_whatever_comes_next() -> None:
    ear = heard((1.0, True), (1.5, True), (1.75, False))
    assert ear.waits_s(0.0) == [0.5, 0.25]


def test_a_wait_in_silence_is_none() -> None:
    ear = heard((1.0, False), (1.5, False), (2.0, True), (2.25, True))
    assert ear.waits_s(0.0) == [0.25]


def test_what_came_before_is_left_out() -> None:
    ear = heard((1.0, True), (1.5, True), (2.0, True))
    assert ear.waits_s(1.25) == [0.5]
    assert ear.waits_s(3.0) == []
