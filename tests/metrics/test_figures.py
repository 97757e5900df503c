"""Figures of the last minutes: percentiles by stage, bounded in time and memory."""

from __future__ import annotations

from inzwa_rtc.events import TurnMetrics
from inzwa_rtc.metrics import figures
from inzwa_rtc.metrics.figures import Figures, Percentiles, percentiles
from inzwa_rtc.metrics.label import OTHER, BoundedLabel


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def turn(first_audio_ms: int) -> TurnMetrics:
    return TurnMetrics(0, 500, 600, 700, first_audio_ms)


def test_percentiles_are_values_that_occurred() -> None:
    assert percentiles([30, 10, 20]) == Percentiles(3, 20, 30)
    assert percentiles([10, 20]) == Percentiles(2, 10, 20)
    assert percentiles(range(1, 101)) == Percentiles(100, 50, 95)


def test_the_stages_add_up_to_the_round_trip() -> None:
    told = Figures(Clock())
    told.add(turn(900))
    medians = {name: one.p50_ms for name, one in told.whole(60).items()}
    assert medians == {
        "silence": 500,
        "recognition": 100,
        "first_token": 100,
        "first_audio": 200,
        "round_trip": 900,
    }


def test_typed_turns_have_no_silence_and_no_recognition() -> None:
    told = Figures(Clock())
    told.add(TurnMetrics(0, 0, 0, 100, 300))
    assert set(told.whole(60)) == {"first_token", "first_audio", "round_trip"}


def test_each_stretch_of_time_has_its_own() -> None:
    clock = Clock()
    told = Figures(clock)
    for clock.now, first_audio_ms in ((0, 800), (61, 900), (119, 1000)):
        told.add(turn(first_audio_ms))
    clock.now = 120.0
    first, second = told.minutes(120, parts=2)
    assert (first.ago_s, second.ago_s) == (60, 0)
    assert first.stages["round_trip"] == Percentiles(1, 800, 800)
    assert second.stages["round_trip"] == Percentiles(2, 900, 1000)


def test_a_turn_of_this_very_moment_counts() -> None:
    told = Figures(Clock())
    told.add(turn(800))
    assert told.minutes(60, parts=3)[-1].stages["round_trip"].turns == 1


def test_what_is_old_or_too_much_is_forgotten() -> None:
    clock = Clock()
    told = Figures(clock)
    told.add(turn(800))
    clock.now = figures.SPAN_S + 1
    for _ in range(figures.MOST_TURNS + 10):
        told.add(turn(900))
    assert told.whole(10_000)["round_trip"] == Percentiles(figures.MOST_TURNS, 900, 900)


def test_a_label_takes_words_of_its_own_and_not_too_many() -> None:
    label = BoundedLabel(most=2)
    assert label.of("engine_failed") == "engine_failed"
    assert label.of("What a caller said") == OTHER
    assert label.of("a" * 100) == OTHER
    assert [label.of(word) for word in ("b", "c", "b")] == ["b", OTHER, "b"]
