"""Personal data in answers: what is taken out, what stays, and that cuts change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inzwa_rtc.safety import Safety
from tests.support.safety import shipped


def told(*phrases: str, language: str = "en", safety: Safety | None = None) -> list[str]:
    """What may be told after each phrase, and once the reply is over."""
    reply = (safety or shipped()).reply(language)
    return [*(reply.feed(phrase).text for phrase in phrases), reply.finish().text]


def whole(*phrases: str) -> str:
    return "".join(told(*phrases))


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Call me on 0771234567 today.", "Call me on [phone number] today."),
        ("It is +263 77 123 4567.", "It is [phone number]."),
        ("It is 00263771234567.", "It is [phone number]."),
        ("Dial (0242) 700 100 now.", "Dial [phone number] now."),
        ("Dial +1 (202) 555-0123 now.", "Dial [phone number] now."),
        ("In Harare 0242-700100, or", "In Harare [phone number], or"),
        ("Say zero seven seven, one two three, four five six seven.", "Say [phone number]."),
        ("Say oh, plus two six three double seven 1 234567.", "Say oh, [phone number]."),
        ("It is 0 7 7 1 2 3 4 5 6 7.", "It is [phone number]."),
        ("٠٧٧١٢٣٤٥٦٧ it is", "[phone number] it is"),
        ("Write to tinashe.moyo+1@mail.example.co.zw.", "Write to [e-mail address]."),
        ("Write to tinashe at example dot com.", "Write to [e-mail address]."),
        ("Write to t dot moyo AT example DOT co DOT zw!", "Write to [e-mail address]!"),
        ("Write to tinashe (at) example (dot) com.", "Write to [e-mail address]."),
        ("Write to tinashe @ example.com.", "Write to [e-mail address]."),
        ("Pay with 4111 1111 1111 1111.", "Pay with [card number]."),
        ("Pay with 4111-1111-1111-1111!", "Pay with [card number]!"),
        ("Pay with 378282246310005.", "Pay with [card number]."),
        ("His is 078-05-1120.", "His is [social security number]."),
        ("Her id is 63-1234567A42.", "Her id is [identity number]."),
        ("Her id is 63-123456 A 42.", "Her id is [identity number]."),
        ("你好a@b.com好", "你好[e-mail address]好"),
    ],
)
def test_personal_data_are_taken_out(text: str, redacted: str) -> None:
    assert whole(text) == redacted


@pytest.mark.parametrize(
    "joint",
    [
        *("\u2010", "\u2011", "\u2013", "\u2014", " \u2014 ", "\u2212", "\uff0d", "\u2009"),
        *("\u3000", "\u200b", "\u00ad", "\u2060", "-\u200b", "** ", " **", "**-**"),
    ],
    ids=ascii,
)
def test_digits_belong_together_whatever_a_model_writes_between_them(joint: str) -> None:
    text = f"Call {joint.join(('0777', '123', '456'))} now."
    assert whole(text) == "Call [phone number] now."
    assert "".join(told(*text)) == whole(text)
    assert whole(f"Pay with {joint.join(['4111'] + ['1111'] * 3)}!") == "Pay with [card number]!"


def test_emphasis_around_a_number_stays_where_it_was() -> None:
    assert whole("Call **0777 123 456** now.") == "Call **[phone number]** now."
    assert whole("It is 12 * 34 * 5678 and 2 ** 10.") == "It is 12 * 34 * 5678 and 2 ** 10."


@pytest.mark.parametrize(
    "text",
    [
        "On 2026-11-21 at 10:30 it costs 1,000,000.50 dollars.",
        "Between 1914 and 1918, and from 1939 to 1945.",
        "Count: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10.",
        "One two three four five six seven eight nine ten.",
        "Pi is 3.14159265358979323846.",
        "The card 4111 1111 1111 1112 is none.",
        "Look at me. Meet us at noon. You can find it at example dot com.",
        "Connect the dots at the end of the line.",
        "Use 666-12-1234 or 000-12-1234.",
        "16 000 000 people live there.",
        "Room 101, floor 7, at 5 p.m.",
        "She scored 99.5% @ home.",
    ],
)
def test_other_numbers_and_words_stay(text: str) -> None:
    assert whole(text) == text


@pytest.mark.parametrize(
    "phrases",
    [
        ("Call 0772", " 123", " 456 now."),
        ("Call 077", "2123456 now."),
        ("Call +", "263 772 ", "123 456 now."),
        ("Call zero seven seven, ", "two one two three, ", "four five six now."),
    ],
)
def test_a_number_that_is_split_over_phrases_is_still_found(phrases: Sequence[str]) -> None:
    assert whole(*phrases) == "Call [phone number] now."


def test_an_address_that_is_split_over_phrases_is_still_found() -> None:
    assert whole("Write to tinashe ", "at example ", "dot ", "com today.") == (
        "Write to [e-mail address] today."
    )
    assert (
        whole("Write to tina", "she@exam", "ple.com today.") == "Write to [e-mail address] today."
    )


@pytest.mark.parametrize(
    "phrase",
    [
        "Hello, ",
        "It is noon. ",
        "In 2026, ",
        "I have five. ",
        "Look at me, ",
        "That is 25% of it; ",
        "Mhoroi, makadii? ",
        "“Yes,” she said: ",
        "你好，",
    ],
)
def test_a_phrase_that_holds_nothing_of_the_kind_leaves_at_once(phrase: str) -> None:
    assert told(phrase)[0] == phrase


def test_no_more_is_held_back_than_may_be_the_beginning() -> None:
    assert told("My number is 0772 ")[0] == "My number is "
    assert told("I was thinking of the ")[0] == "I was thinking of "
    assert told("My number is 0772 ", "and a half")[1].startswith("0772 and ")


def test_digits_without_end_are_not_held_without_end() -> None:
    reply = shipped().reply("en")
    given = [reply.feed("12 34 56 78 90 ").text for _ in range(40)]
    assert any(given)


def test_the_words_for_it_are_the_callers_language() -> None:
    assert told("0771234567 ", language="sn") == ["", "[nhamba yerunhare] "]
    assert told("0771234567 ", language="fr") == ["", "[phone number] "]


DATA = st.sampled_from(
    [
        "0771234567", "+263 77 123 4567", "4111 1111 1111 1111", "078-05-1120", "63-1234567A42",
        "a@b.com", "tina at example dot com", "zero seven seven one two three four five six seven",
        " ", ", ", ". ", "at", "dot", "and ", "word ", "5", "@", "(", "-", "é", "你", "\n", "+",
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    "phrases",
    [
        (" ", "+a@b.com&"),
        (", ", "@", "a@b.com "),
        ("!0_@tin", "a a", "t example dot com"),
        ("+", "a" * 64, "@b.com "),
    ],
)
def test_signs_beside_an_address_are_told_the_same_however_the_text_was_cut(
    phrases: Sequence[str],
) -> None:
    assert whole(*phrases) == whole("".join(phrases))


@given(st.lists(st.one_of(DATA, st.text(max_size=3)), max_size=12), st.data())
@settings(max_examples=300, deadline=None)
def test_what_is_told_is_the_same_however_the_text_was_cut(
    parts: list[str], data: st.DataObject
) -> None:
    text = "".join(parts)
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=6).map(sorted))
    bounds = [0, *cuts, len(text)]
    phrases = [text[a:b] for a, b in pairwise(bounds)]
    assert whole(*phrases) == whole(text)


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_text_at_all_can_be_told(text: str) -> None:
    assert whole(text).count("\n") <= text.count("\n")
