"""Tables of what is measured in turn."""

from __future__ import annotations

from benchmarks.rounds import Rounds, spread


def rounds() -> Rounds:
    table = Rounds("Speed", {"wall": "ms", "CPU": "ms"}, baseline="stock", compared=["wall"])
    for stock, ours in ((100, 50), (400, 100), (200, 100)):  # the machine's speed drifts
        table.add("stock", {"wall": stock, "CPU": stock})
        table.add("ours", {"wall": ours, "CPU": 5})
    return table


def test_ways_are_compared_within_each_round() -> None:
    assert "| ours | 100 (50-100) | 5 (5-5) | 0.5 (0.25-0.5) |" in rounds().markdown()


def test_a_target_is_met_or_missed_by_the_median() -> None:
    table = rounds()
    table.aim("ours", "wall", 100)
    table.aim("stock", "wall", 199)
    assert "100 (50-100); target 100 met" in table.markdown()
    assert "200 (100-400); target 199 missed" in table.markdown()


def test_what_was_not_measured_is_left_open() -> None:
    table = rounds()
    table.add("other", {"wall": 1})
    assert "| other | 1 | - | 0.01 |" in table.markdown()
    assert spread([]) == "-"


def test_all_samples_are_kept() -> None:
    told = rounds().to_json()
    assert told["samples"]["ours"] == {"wall": [50, 100, 100], "CPU": [5, 5, 5]}
