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
    assert "| ours | 3 | 100 (50-100) | 5 (5-5) | 0.5 (0.25-0.5) |" in rounds().markdown()


def test_a_target_is_met_or_missed_by_the_median() -> None:
    table = rounds()
    table.aim("ours", "wall", 100)
    table.aim("stock", "wall", 199)
    assert "100 (50-100); target 100 met" in table.markdown()
    assert "200 (100-400); target 199 missed" in table.markdown()


def test_what_was_not_measured_is_left_open() -> None:
    table = rounds()
    table.add("other", {"wall": 1})
    assert "| other | 1 | 1 | - | 0.01 |" in table.markdown()
    assert spread([]) == "-"


def test_all_samples_are_kept() -> None:
    told = rounds().to_json()
    assert told["rounds"]["ours"] == {"wall": [0, 1, 2], "CPU": [0, 1, 2]}
    assert told["samples"]["ours"] == {"wall": [50, 100, 100], "CPU": [5, 5, 5]}


def test_a_round_that_is_missing_is_compared_with_none() -> None:
    table = Rounds("Speed", {"wall": "ms", "CPU": "ms"}, baseline="stock", compared=["wall"])
    for number, stock in ((1, 100), (2, 400), (3, 200)):
        table.add("stock", {"wall": stock}, number)
    table.add("ours", {"wall": 200, "CPU": 5}, 2)
    table.add("ours", {"wall": 100}, 3)
    assert "| ours | 2 | 150 (100-200) | 5, n 1 | 0.5 (0.5-0.5) |" in table.markdown()
    assert table.of("ours", "wall") == {2: 200, 3: 100}
    table.add("late", {"wall": 100}, 4)
    assert "| late | 1 | 100 | - | - |" in table.markdown()
