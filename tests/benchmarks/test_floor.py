"""The floor of a call is the sum of its operations, as often as its duty asks for them."""

from __future__ import annotations

import pytest

from benchmarks.floor import (
    BUILD,
    CALLS,
    DECODE,
    DECODE_QUIET,
    DUTIES,
    ENCODE,
    PARSE,
    PROTECT,
    RECEIVE,
    SEND,
    UNPROTECT,
    WAKE,
    Duty,
    listening,
    tables,
)

TALKING, KEPT, IDLE, _ = DUTIES
OPERATIONS = (
    *(RECEIVE, UNPROTECT, PARSE, DECODE, DECODE_QUIET, ENCODE, BUILD, PROTECT, SEND, WAKE),
    *map(listening, CALLS),
)


@pytest.mark.parametrize(
    ("duty", "operation", "times"),
    [
        (TALKING, RECEIVE, 50),
        (TALKING, DECODE, 25),
        (TALKING, ENCODE, 25),
        (TALKING, PROTECT, 26.25),
        (KEPT, ENCODE, 0),
        (KEPT, PROTECT, 26.25),
        (IDLE, DECODE, 0),
        (IDLE, RECEIVE, 50),
        (TALKING, listening(4), 31.25),
        (TALKING, WAKE, 12.5),
    ],
)
def test_a_call_asks_for_each_operation_so_often(duty: Duty, operation: str, times: float) -> None:
    costs = dict.fromkeys(OPERATIONS, 0.0) | {operation: 1.0}
    assert duty.seconds(costs, 4) == times


def test_the_smallest_of_the_rounds_is_what_counts() -> None:
    samples = {name: [3e-6, 1e-6, 2e-6] for name in OPERATIONS}
    operations, sums = tables(samples, "quiet")
    assert operations.median(ENCODE, "smallest") == pytest.approx(1)
    a_second = DUTIES[0].seconds(dict.fromkeys(OPERATIONS, 1e-6), 4)
    assert sums.median(TALKING.name, "4 calls") == pytest.approx(1000 * a_second)
    assert "quiet" in sums.markdown()
