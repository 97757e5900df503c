"""A tool is offered where its words are said, and not where others are."""

from __future__ import annotations

import pytest

from inzwa_rtc.tools import clock, weather
from inzwa_rtc.tools.gate import Gate, Said


@pytest.mark.parametrize(
    ("words", "text", "opens"),
    [
        (["time"], "What TIME is it?", True),
        (["time"], "sometimes", False),
        (["weather"], "the weather's fine", True),
        (["café"], "the cafe at noon", True),
        (["o'clock"], "is it five o’clock", True),
        (["bank account"], "my bank  account, please", True),
        (["bank account"], "the account at the bank", False),
        (["*naya*"], "mangwana kunonaya here", True),
        (["naya*"], "kunonaya", False),
        (["rain*"], "is it raining", True),
        (["a.b"], "a.b", True),
        (["a.b"], "axb", False),
        (["(", "*", ""], "( * anything", False),
        (["日本"], "日本", True),
        ([], "anything", False),
        (["time"], "", False),
    ],
)
def test_whole_words_open_it(words: list[str], text: str, opens: bool) -> None:
    assert Gate({"en": words}).opens(Said.of(text)) is opens


def test_words_of_any_language_open_it_whichever_the_call_is_in() -> None:
    gate = Gate({"en": ["weather"], "sn": ["okunze"]})
    assert gate.opens(Said.of("mamiriro okunze"))
    assert gate.opens(Said.of("weather yakadii"))


def test_one_that_is_always_open_needs_no_words() -> None:
    assert Gate({}, always=True).opens(Said.of(""))


@pytest.mark.parametrize(
    ("text", "tools"),
    [
        ("What time is it?", {"time"}),
        ("Inguvai?", {"time"}),
        ("Nhasi izuva ripi?", {"time"}),
        ("Will it rain tomorrow?", {"weather"}),
        ("Mamiriro okunze akadii muHarare?", {"weather"}),
        ("Kuchanaya here?", {"weather"}),
        ("Tell me a story about a bird.", set()),
        ("Ndiudze nyaya", set()),
    ],
)
def test_the_shipped_tools_have_words_of_english_and_shona(text: str, tools: set[str]) -> None:
    shipped = {"time": Gate(clock.WORDS), "weather": Gate(weather.WORDS)}
    assert {name for name, gate in shipped.items() if gate.opens(Said.of(text))} == tools


def test_a_long_text_is_read_at_once() -> None:
    assert not Gate({"en": ["*naya*", "rain*"]}).opens(Said.of("na" * 200_000))
