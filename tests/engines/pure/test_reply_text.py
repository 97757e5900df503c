"""What of a model's tokens may be spoken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inzwa_rtc.engines.llm.reply_text import ReplyText


def spoken(*tokens: str) -> str:
    text = ReplyText()
    return "".join(text.feed(token) for token in tokens) + text.end()


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("<think>\n\n</think>\n\nYes.", "Yes."),
        ("<think>Hm. </thin> Well.</think>Yes.", "Yes."),
        ("\n<think>Hm.", ""),
        ("<think>a</think> <think>b</think>c", "c"),
        (" Yes.", " Yes."),
        ("<thing", "<thing"),
        ("<thi", "<thi"),
        ("Yes <think>no</think>", "Yes <think>no</think>"),
        ("", ""),
    ],
)
def test_thoughts_before_the_first_words_are_not_spoken(said: str, left: str) -> None:
    assert spoken(said) == left
    assert spoken(*said) == left


def test_a_character_in_two_tokens_is_one() -> None:
    assert spoken("a \ud83d", "\udc26 b") == "a \N{BIRD} b"


@pytest.mark.parametrize("half", ["\ud83d", "\udc26"])
def test_half_a_character_is_none(half: str) -> None:
    assert spoken("a", half, "b") == "a\ufffdb"
    assert spoken("a", half) == "a\ufffd"


@given(st.lists(st.text(st.characters(categories=["Cs", "Lu", "Zs"]), max_size=3)))
def test_whatever_comes_can_be_sent(tokens: list[str]) -> None:
    assert len(spoken(*tokens).encode()) >= len("".join(tokens)) // 2


@given(st.lists(st.text(st.characters(categories=["Lu", "Zs", "Po"]), max_size=3)))
def test_plain_words_are_spoken_as_they_are(tokens: list[str]) -> None:
    assert spoken(*tokens) == "".join(tokens)
