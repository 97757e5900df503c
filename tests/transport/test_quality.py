"""A score that falls with delay and loss, and stays on its scale."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inzwa_rtc.transport.quality import Quality, opinion


@pytest.mark.parametrize(
    ("delay_ms", "loss", "score"),
    [
        (0, 0, 4.41),
        (150, 0, 4.34),
        (400, 0, 3.1),
        (50, 0.02, 4.16),
        (50, 0.05, 3.7),
        (50, 0.2, 2.3),
    ],
)
def test_the_scale_is_that_of_the_e_model(delay_ms: float, loss: float, score: float) -> None:
    assert opinion(delay_ms, loss) == pytest.approx(score, abs=0.15)


@given(st.floats(0, 5000), st.floats(0, 5000), st.floats(0, 1), st.floats(0, 1))
def test_more_of_either_is_never_better(d: float, e: float, p: float, q: float) -> None:
    better, worse = opinion(min(d, e), min(p, q)), opinion(max(d, e), max(p, q))
    assert 1 <= worse <= better <= 4.5


def test_the_worse_direction_decides() -> None:
    inward = Quality(0.1, 0, 5, 100, 0, 40)
    outward = Quality(0, 0.1, 5, 0, 0, 40)
    assert inward.score == outward.score < Quality(0, 0, 5, 0, 0, 40).score
