"""Tokens become phrases early, at natural places, and nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inzwa_rtc.conversation.phrases import MAX_PHRASE_CHARS, WAIT_S, PhraseCutter


def cut(text: str) -> list[str]:
    cutter = PhraseCutter()
    phrases = [phrase for char in text for phrase in cutter.feed(char, 0.0)]
    return phrases + cutter.flush()


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("Hello there. How are you?", ["Hello there.", " How are you?"]),
        ("Well, of course, I can.", ["Well, of course,", " I can."]),
        ("It is 3.14, or 1,000 in all.", ["It is 3.14,", " or 1,000 in all."]),
        ("Ask Dr. Moyo about it. He knows.", ["Ask Dr. Moyo about it.", " He knows."]),
        ('She said "stop!" and left.', ['She said "stop!"', " and left."]),
        ("One line\nand another", ["One line\n", "and another"]),
        ("Wait... what? Yes.", ["Wait...", " what?", " Yes."]),
    ],
)
def test_phrases_end_where_a_speaker_would_pause(text: str, phrases: list[str]) -> None:
    assert [p.rstrip(" ") for p in cut(text)] == [p.lstrip(" ") for p in phrases]
    assert "".join(cut(text)) == text


def test_the_first_clause_is_spoken_before_the_sentence_ends() -> None:
    cutter = PhraseCutter()
    assert cutter.feed("Once upon a time, ", 0.0) == ["Once upon a time, "]


def test_later_short_clauses_stay_together() -> None:
    assert cut("Let us begin. One, two, three, four.")[1:] == ["One, two, three, four."]


def test_a_slow_model_without_punctuation_is_spoken_after_a_while() -> None:
    cutter = PhraseCutter()
    assert cutter.feed("this model does not stop to think", 1.0) == []
    assert cutter.deadline == pytest.approx(1.0 + WAIT_S)
    assert cutter.on_time(1.0 + WAIT_S / 2) == []
    assert cutter.on_time(1.0 + WAIT_S) == ["this model does not stop to "]
    assert cutter.deadline is None


def test_it_never_speaks_word_by_word_however_slow_the_model() -> None:
    cutter = PhraseCutter()
    cutter.feed("so ", 0.0)
    assert cutter.deadline is None


@given(st.lists(st.text(alphabet="ab .,!?;:\n\"'é", max_size=12), max_size=60), st.data())
def test_no_character_is_lost_and_no_phrase_is_too_long(
    tokens: list[str], data: st.DataObject
) -> None:
    cutter = PhraseCutter()
    now, phrases = 0.0, []
    for token in tokens:
        now += data.draw(st.floats(0, 1))
        phrases += cutter.feed(token, now)
        if data.draw(st.booleans()):
            phrases += cutter.on_time(now + data.draw(st.floats(0, 2)))
    phrases += cutter.flush()
    assert "".join(phrases) == "".join(tokens)
    assert all(0 < len(phrase) <= MAX_PHRASE_CHARS + 24 for phrase in phrases)
