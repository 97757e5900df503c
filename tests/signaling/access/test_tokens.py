"""A start token starts one call, in time; a call token opens one call, and strangers learn
nothing from either."""

from __future__ import annotations

import pytest

from inzwa_rtc.errors import RateLimited
from signaling.access.call_tokens import RESUME_S, CallTokens, Claim
from signaling.access.caller import Caller
from signaling.access.start_tokens import Grant, StartTokens
from signaling.dialects.native import SessionOptions

GRANT = Grant("key", "ada", SessionOptions(language="sn"))


def test_a_start_token_is_spent_once() -> None:
    tokens = StartTokens()
    token = tokens.mint(GRANT, 0.0)
    assert tokens.spend(token, 59.9) == GRANT
    assert tokens.spend(token, 59.9) is None


def test_a_start_token_is_too_old_after_its_time() -> None:
    tokens = StartTokens()
    assert tokens.spend(tokens.mint(GRANT, 0.0), 60.0) is None
    assert tokens.spend(tokens.mint(GRANT, 0.0, 5), 5.0) is None
    assert tokens.spend(tokens.mint(GRANT, 0.0, 5), 4.9) == GRANT


def test_a_token_is_given_back_where_no_call_came_of_it_and_only_in_time() -> None:
    tokens = StartTokens()
    token = tokens.mint(GRANT, 0.0)
    tokens.spend(token, 1.0)
    tokens.give_back(token)
    assert tokens.spend(token, 2.0) == GRANT
    tokens.give_back(token)
    assert tokens.spend(token, 60.0) is None


@pytest.mark.parametrize("wrong", ["", "st_", "st_x", "\ud800", "st_" + "A" * 43])
def test_what_was_never_made_is_none(wrong: str) -> None:
    tokens = StartTokens()
    tokens.mint(GRANT, 0.0)
    assert tokens.spend(wrong, 0.0) is None
    tokens.give_back(wrong)


def test_no_two_are_alike_and_each_is_long_enough() -> None:
    tokens = StartTokens()
    made = {tokens.mint(GRANT, 0.0) for _ in range(100)}
    assert len(made) == 100
    assert min(len(token) for token in made) > 40


def test_one_key_leaves_room_for_others_and_there_is_an_end_to_all() -> None:
    tokens = StartTokens(most=5, most_of_key=3)
    for _ in range(3):
        tokens.mint(GRANT, 0.0)
    with pytest.raises(RateLimited) as refused:
        tokens.mint(GRANT, 15.0)
    assert 45 <= refused.value.retry_after_s <= 46
    other = Grant("other", None, SessionOptions())
    tokens.mint(other, 15.0)
    tokens.mint(other, 15.0)
    with pytest.raises(RateLimited):
        tokens.mint(Grant(None, None, SessionOptions()), 15.0)
    assert tokens.mint(GRANT, 60.0)
    assert len(tokens) == 3


def test_tokens_that_were_spent_count_until_their_time_so_that_memory_is_bounded() -> None:
    tokens = StartTokens(most=3)
    for _ in range(3):
        tokens.spend(tokens.mint(GRANT, 0.0), 0.0)
    with pytest.raises(RateLimited):
        tokens.mint(GRANT, 0.0)


CALLER = Caller("ada", key_id="key", start_token="st_its_own")


def test_a_call_token_opens_its_call_and_no_other() -> None:
    tokens = CallTokens()
    tokens.begin(Claim("one", "ct_one", CALLER))
    tokens.begin(Claim("two", "ct_two", CALLER))
    claim = tokens.held("one", "ct_one", 0.0)
    assert claim is not None
    assert claim.owner is CALLER
    for secret in ("ct_two", "ct_on", "ct_one ", "", "\ud800", "st_its_own"):
        assert tokens.held("one", secret, 0.0) is None
    assert tokens.held("none", "ct_one", 0.0) is None


def test_a_token_is_known_for_a_while_after_its_call() -> None:
    tokens = CallTokens()
    tokens.begin(Claim("one", "ct_one", CALLER))
    tokens.end("one", 10.0)
    assert tokens.held("one", "ct_one", 10.0 + RESUME_S - 0.1)
    assert tokens.held("one", "ct_one", 10.0 + RESUME_S) is None
    assert tokens.of_key("one", "key", 10.0 + RESUME_S) is None


def test_of_calls_that_are_over_no_more_are_remembered_than_there_is_a_use_for() -> None:
    tokens = CallTokens()
    for number in range(1000):
        tokens.begin(Claim(str(number), "ct", CALLER))
        tokens.end(str(number), float(number))
    assert len(tokens) == RESUME_S


def test_a_key_opens_the_calls_that_were_begun_with_it() -> None:
    tokens = CallTokens()
    tokens.begin(Claim("one", "ct_one", CALLER))
    assert tokens.of_key("one", "key", 0.0)
    assert tokens.of_key("one", "other", 0.0) is None
    assert tokens.of_key("one", "", 0.0) is None


def test_a_call_of_nobodys_needs_no_token_only_where_none_was_told() -> None:
    tokens = CallTokens()
    tokens.begin(Claim("told", "ct_told", Caller()))
    tokens.begin(Claim("whip", "ct_whip", Caller()))
    tokens.told_nothing("whip")
    assert tokens.of_nobody("told", 0.0) is None
    assert tokens.of_nobody("whip", 0.0)
    assert tokens.held("whip", "ct_whip", 0.0), "which the data channel tells"


def test_a_whip_client_goes_on_with_the_start_token_that_it_began_with() -> None:
    tokens = CallTokens()
    tokens.begin(Claim("one", "ct_one", CALLER))
    tokens.told_nothing("one")
    assert tokens.held("one", "st_its_own", 0.0)
    assert tokens.held("one", "ct_one", 0.0)
    assert tokens.of_nobody("one", 0.0) is None


def test_a_secret_is_in_no_text_about_a_caller() -> None:
    assert "st_its_own" not in repr(CALLER)
