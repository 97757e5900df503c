"""What speech costs, before and after."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

import pytest

from inzwa_rtc.prices import Price
from inzwa_rtc.settings import Settings, load
from inzwa_rtc.speech.cost import OTHERS, Cost, PriceTable, Spending
from tests.support.configuration import empty_surroundings, refusal, write

TABLE = PriceTable(
    Settings.model_validate(
        {
            "prices": {
                "openai": {"tts-1": {"per_million": 15, "currency": "USD"}},
                "elevenlabs": {
                    "eleven_v3": {"per_thousand": 0.1, "currency": "USD"},
                    "*": {"per_thousand": "0.05", "currency": "EUR"},
                },
            }
        }
    ).prices
)


def test_an_estimate_is_what_the_table_yields() -> None:
    cost = TABLE.estimate("openai", "tts-1", "Good morning. ")
    assert cost == Cost(14, 0, {"USD": Decimal("0.00021")})
    assert TABLE.estimate("elevenlabs", "eleven_v3", "a" * 250).amounts == {"USD": Decimal("0.025")}


def test_spaces_line_ends_and_marks_are_characters_too() -> None:
    assert TABLE.estimate("openai", "tts-1", " \n.é\N{BIRD}").characters == 5


def test_a_star_is_any_model_that_is_not_named() -> None:
    assert TABLE.estimate("elevenlabs", "new", "a" * 1000).amounts == {"EUR": Decimal("0.05")}


@pytest.mark.parametrize(("engine", "model"), [("espeak", "eSpeak NG"), ("openai", "other")])
def test_what_has_no_price_is_told_as_such_and_not_as_free(engine: str, model: str) -> None:
    assert TABLE.estimate(engine, model, "four") == Cost(4, unpriced=4)


def test_the_count_after_is_the_sum_of_the_estimates_before_to_the_last_digit() -> None:
    chance, spending = random.Random(7), Spending(TABLE)
    texts = ["x" * chance.randrange(4000) for _ in range(2000)]
    expected = sum((TABLE.estimate("openai", "tts-1", text) for text in texts), Cost())
    for text in texts:
        spending.count("anna", "openai", "tts-1", len(text))
    assert spending.total() == expected
    assert expected.amounts["USD"] == Decimal(15) * sum(map(len, texts)) / 1_000_000


def test_it_is_counted_for_each_user_engine_and_model() -> None:
    spending = Spending(TABLE)
    spending.count("anna", "openai", "tts-1", 1000)
    spending.count("anna", "openai", "tts-1", 1000)
    spending.count("anna", "elevenlabs", "eleven_v3", 10)
    spending.count("bert", "espeak", "eSpeak NG", 5)
    first, second = spending.of("anna")
    assert (first.engine, first.model, first.cost.characters) == ("openai", "tts-1", 2000)
    assert first.cost.amounts == {"USD": Decimal("0.03")}
    assert second.cost.characters == 10
    assert spending.of("carl") == ()
    assert spending.users() == ("anna", "bert")


def test_amounts_in_several_currencies_are_kept_apart() -> None:
    spending = Spending(TABLE)
    spending.count("anna", "openai", "tts-1", 1_000_000)
    spending.count("bert", "elevenlabs", "new", 1000)
    assert spending.total().amounts == {"USD": Decimal(15), "EUR": Decimal("0.05")}


def test_of_too_many_users_those_not_heard_of_become_others_and_nothing_is_lost() -> None:
    spending = Spending(TABLE, max_users=2)
    for user in ("anna", "bert", "anna", "carl"):
        spending.count(user, "openai", "tts-1", 100)
    assert spending.users() == ("anna", "carl")
    assert [line.cost.characters for line in spending.of(OTHERS)] == [100]
    assert spending.total().characters == 400


def test_a_user_who_is_deleted_stays_in_the_total_alone() -> None:
    spending = Spending(TABLE)
    spending.count("anna", "openai", "tts-1", 100)
    spending.forget("anna")
    spending.forget("nobody")
    assert spending.users() == ()
    assert spending.of("anna") == ()
    assert spending.total().characters == 100


def test_what_was_counted_for_a_call_becomes_its_user_s() -> None:
    spending = Spending(TABLE)
    spending.count("call", "openai", "tts-1", 100)
    spending.count("anna", "openai", "tts-1", 50)
    assert spending.hand_over("call", "anna").characters == 100
    assert spending.users() == ("anna",)
    assert [line.cost.characters for line in spending.of("anna")] == [150]
    assert spending.hand_over("nobody", "anna") == Cost()


def test_new_prices_hold_from_then_on() -> None:
    spending = Spending(PriceTable({}))
    spending.count("anna", "openai", "tts-1", 100)
    spending.table = TABLE
    spending.count("anna", "openai", "tts-1", 100)
    (line,) = spending.of("anna")
    assert line.cost == Cost(200, 100, {"USD": Decimal("0.0015")})


class TestSettings:
    @pytest.fixture(autouse=True)
    def _empty(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        empty_surroundings(tmp_path, monkeypatch)

    def test_they_come_from_the_file_as_they_are_written(self) -> None:
        write("prices: {openai: {tts-1: {per_million: 15.1, currency: USD}}}\n")
        price = load().settings.prices["openai"]["tts-1"]
        assert price == Price(per_million=Decimal("15.1"), currency="USD")

    def test_they_may_come_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        value = '{"elevenlabs": {"*": {"per_thousand": "0.05", "currency": "USD"}}}'
        monkeypatch.setenv("INZWA_PRICES", value)
        assert load().settings.prices["elevenlabs"]["*"].per_thousand == Decimal("0.05")

    @pytest.mark.parametrize(
        ("written", "told"),
        [
            ("{openai: {}}", "name its models"),
            ("{openai: {tts-1: {currency: USD}}}", "either `per_thousand` or `per_million`"),
            (
                "{openai: {tts-1: {per_thousand: 1, per_million: 1, currency: USD}}}",
                "either `per_thousand` or `per_million`",
            ),
            ("{openai: {tts-1: {per_million: -1, currency: USD}}}", "per_million"),
            ("{openai: {tts-1: {per_million: .nan, currency: USD}}}", "per_million"),
            ("{openai: {tts-1: {per_million: 15}}}", "currency"),
            ("{openai: {tts-1: {per_million: 15, currency: dollars}}}", "currency"),
            ("{openai: {tts-1: 15}}", "prices.openai.tts-1"),
            ("{openai: {tts-1: {per_hour: 15, currency: USD}}}", "per_hour"),
        ],
    )
    def test_one_that_cannot_be_is_refused_by_its_name(self, written: str, told: str) -> None:
        write(f"prices: {written}\n")
        assert told in refusal()
