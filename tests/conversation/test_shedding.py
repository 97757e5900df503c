"""Under load replies are prepared less, then get shorter; never below what still answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inzwa_rtc.conversation.shedding import Shedding, share_left
from inzwa_rtc.settings import LoadSettings
from tests.support.session import calling


@pytest.mark.parametrize(
    ("cpu_percent", "memory_percent", "tokens"),
    [
        (0, 0, 200),
        (80, 85, 200),
        (85, 0, 150),
        (90, 0, 100),
        (0, 94, 80),  # 6 of 15 percent are left
        (90, 94, 80),  # the tighter of the two
        (97, 0, 50),
        (100, 100, 50),
        (140, 0, 50),
    ],
)
def test_the_limit_shrinks_with_what_is_left_above_the_threshold(
    cpu_percent: float, memory_percent: float, tokens: int
) -> None:
    shedding = Shedding(LoadSettings())
    shedding.feed(cpu_percent, memory_percent)
    assert shedding.tokens(200) == tokens


def test_a_limit_below_the_least_stays_as_it_is() -> None:
    shedding = Shedding(LoadSettings())
    shedding.feed(100, 100)
    assert shedding.tokens(30) == 30
    assert Shedding(LoadSettings()).tokens(30) == 30


def test_thresholds_are_settings() -> None:
    shedding = Shedding(LoadSettings(cpu_percent=50, memory_percent=100, least_tokens=10))
    shedding.feed(50, 100)
    assert shedding.tokens(200) == 200
    shedding.feed(99, 100)
    assert shedding.tokens(200) == 10


@given(st.floats(0, 100), st.floats(0, 100), st.floats(1, 100))
def test_more_load_never_leaves_more(percent: float, more: float, threshold: float) -> None:
    low, high = sorted((percent, more))
    assert 0 <= share_left(high, threshold) <= share_left(low, threshold) <= 1


def test_it_is_told_once_when_it_begins_and_once_when_it_has_ended() -> None:
    shedding = Shedding(LoadSettings())
    loads = [(79, 10), (81, 10), (99, 10), (78, 10), (82, 10), (75, 81), (75, 80), (10, 10)]
    told = [shedding.feed(*load) for load in loads]
    assert told == [None, "began", None, None, None, None, "ended", None]


def test_reading_ahead_goes_before_replies_get_shorter() -> None:
    shedding = Shedding(LoadSettings())
    assert shedding.reads_ahead
    shedding.feed(75, 84)
    assert not shedding.reads_ahead
    assert shedding.tokens(200) == 200
    shedding.feed(70, 100)
    assert shedding.reads_ahead, "reading ahead takes no more memory"


async def test_a_reply_under_load_is_asked_for_shorter_and_the_next_one_at_rest_is_not() -> None:
    async with calling("Yes.", "No.", texts=("one", "two"), llm_max_tokens=200) as call:
        call.shedding.feed(90, 0)
        await call.question()
        await call.reply_ends(0)
        call.shedding.feed(10, 0)
        await call.question()
        await call.reply_ends(1)
        assert [request.max_tokens for request in call.llm.requests] == [100, 200]
