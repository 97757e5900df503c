"""What is said of a reply that comes token by token is what is said of it as a whole."""

from __future__ import annotations

import pytest

from inzwa_rtc.conversation.phrases import WAIT_S, PhraseCutter
from inzwa_rtc.speech.text.reader import TextReader


def said(text: str, language: str) -> str:
    """As a turn does it: tokens of a few characters, phrases, each read by the same reader.
    Strokes stand between pieces."""
    cutter, reader = PhraseCutter(), TextReader(language)
    tokens = [text[at : at + 3] for at in range(0, len(text), 3)]
    phrases = [phrase for token in tokens for phrase in cutter.feed(token, 0.0)]
    phrases += cutter.flush()
    return " / ".join(piece.text for phrase in phrases for piece in reader.read(phrase, 300))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "On July 20, 1969, humans came.",
            "On July twentieth, nineteen sixty-nine, / humans came.",
        ),
        ("On March 5, 2024 we met.", "On March fifth, twenty twenty-four we met."),
        (
            "It was 20 July, 1969 by then.",
            "It was the twentieth of July nineteen sixty-nine by then.",
        ),
        ("We met on Jan. 5 here.", "We met on January fifth here."),
        ("It began in Sept. 1890 here.", "It began in September eighteen ninety here."),
        ("Take bus No. 5 to town.", "Take bus number five to town."),
        ("Do read pp. 10 to 12 first.", "Do read pages ten to twelve first."),
        ("As shown in Fig. 3, it works.", "As shown in figure three, / it works."),
        ("Ask Prof. Moyo or Gen. Dube.", "Ask Professor Moyo or General Dube."),
        ("Open from 9 a.m. to 5 p.m. daily.", "Open from nine A M to five P M daily."),
        (
            "Do this:\n\n1. Wash it.\n2. Cook it.",
            "Do this: / one. Wash it. / two. Cook it.",
        ),
        ("I say no. Then we go.", "I say no. / Then we go."),
    ],
)
def test_what_is_read_as_one_thing_stays_in_one_phrase(text: str, expected: str) -> None:
    assert said(text, "en") == expected


def test_so_it_does_in_shona() -> None:
    text = "1. Geza mupunga.\n2. Bika naVaMoyo."
    assert said(text, "sn") == "motsi. Geza mupunga. / piri. Bika naVaMoyo."


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("It happened in July, and then", "It happened in July, "),
        ("I would say no. Then", "I would say no. "),
        ("Well, of course, No. 5", "Well, of course, "),
        ("The year was long.\n1969. A year", "The year was long.\n"),
    ],
)
def test_a_first_phrase_is_cut_as_soon_as_it_is_clear_that_no_number_follows(
    text: str, first: str
) -> None:
    cutter = PhraseCutter()
    phrases = [phrase for char in text for phrase in cutter.feed(char, 0.0)]
    assert phrases[0] == first


def test_of_a_slow_model_nothing_is_taken_that_a_number_may_complete() -> None:
    cutter = PhraseCutter()
    cutter.feed("all the people who were there on July ", 0.0)
    assert cutter.on_time(WAIT_S) == ["all the people who were there on "]
    assert cutter.feed("20, ", WAIT_S) == []
    assert cutter.deadline is None
    assert cutter.feed("1969, saw it. ", WAIT_S) == ["July 20, 1969, saw it. "]


def test_a_number_that_begins_no_line_numbers_nothing() -> None:
    cutter = PhraseCutter()
    assert cutter.feed("The answer is this: ", 0.0) == ["The answer is this: "]
    assert cutter.feed("42. Well", 0.0) == ["42. "]
