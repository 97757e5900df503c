"""What callers and operators may expect of the guide."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from inzwa_rtc.engines.contracts import Message, ReplyRequest, TokenChunk, ToolCall
from inzwa_rtc.engines.guide.numbers import read_number, spell
from inzwa_rtc.engines.guide.phrases import NUMBER
from inzwa_rtc.engines.guide.script import GUIDE, load, phrases
from inzwa_rtc.engines.guide.skills import clock
from inzwa_rtc.engines.llm.scripted import Scripted, ScriptedOptions
from inzwa_rtc.errors import ConfigError
from tests.support.guide import intent_of


async def converse(guide: Scripted, *said: str) -> list[str]:
    """The guide's answers to these messages, one after another."""
    messages: list[Message] = []
    answers: list[str] = []
    for text in said:
        messages.append(Message("user", text))
        answers.append(await answer(guide, messages))
        messages.append(Message("assistant", answers[-1]))
    return answers


async def answer(guide: Scripted, messages: Sequence[Message]) -> str:
    chunks = [chunk async for chunk in guide.reply(ReplyRequest(messages))]
    return "".join(chunk.token for chunk in chunks if isinstance(chunk, TokenChunk))


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("what is seven times eight", r"\b56\b"),
        ("What's 7 x 8?", r"\b56\b"),
        ("2+2", r"\b4\b"),
        ("how much is 12 - 20", r"minus 8\b"),
        ("1,000 plus 2,500", r"\b3500\b"),
        ("what is two thousand and five plus three hundred", r"\b2305\b"),
        ("ten divided by four", r"\b2\.5\b"),
        ("10 / 3", r"about 3\.33\b"),
        ("subtract five from seven", r"\b2\b"),
        ("what is 5 divided by 0", r"divide by zero"),
        ("count to ten", r"^One, two, three.*nine, ten\.$"),
        ("count from five to three", r"^Five, four, three\.$"),
        ("count to 1000", r"one hundred"),
        ("What does Inzwa mean?", r"Shona.*listen"),
        ("are you human?", r"\b(AI|machine)\b"),
        ("how do I get a real model", r"llm_engine"),
        ("mhoro", r"Mhoroi"),
        ("makadii?", r"Ndiripo zvangu"),
        ("Mangwanani!", r"Mamuka sei"),
        ("ndatenda", r"Zvakanaka"),
        ("Inzwa, what time is it, please?", r"\b(in the|at night|noon|midnight)"),
        ("what can you do", r"story"),
    ],
)
async def test_the_guide_answers(guide: Scripted, said: str, reply: str) -> None:
    assert re.search(reply, (await converse(guide, said))[0])


@pytest.mark.parametrize(
    "said",
    ["purple elephants", "what is the capital of france", "2.5 + 1", "-3 + 2", "add 1 and 2 and 3",
     "", "__import__('os')", "{time.__class__}", "99999999999999999999 + 1", "9" * 5000],
)  # fmt: skip
async def test_the_guide_says_so_when_it_did_not_understand(guide: Scripted, said: str) -> None:
    assert intent_of(said) is None
    assert (await converse(guide, said))[0] in load().fallback


async def test_not_understanding_twice_is_said_in_other_words(guide: Scripted) -> None:
    first, second = await converse(guide, "purple elephants", "green elephants")
    assert first != second


async def test_goodbye_is_spoken_and_then_hangs_up(guide: Scripted) -> None:
    request = ReplyRequest([Message("user", "Goodbye!")])
    chunks = [chunk async for chunk in guide.reply(request)]
    assert isinstance(chunks[0], TokenChunk)
    assert chunks[-1] == ToolCall("hang_up")


async def test_saying_it_again_repeats_the_answer_even_of_what_was_cut_short(
    guide: Scripted,
) -> None:
    messages = [Message("user", "tell me a story")]
    story = await answer(guide, messages)
    messages += [Message("assistant", story[:20]), Message("user", "say that again")]
    assert await answer(guide, messages) == story
    messages += [Message("assistant", story[:9]), Message("user", "what did you say")]
    assert await answer(guide, messages) == story


async def test_repeating_a_goodbye_does_not_hang_up_a_second_time(guide: Scripted) -> None:
    request = ReplyRequest([Message("user", "bye"), Message("user", "say that again")])
    assert ToolCall("hang_up") not in [chunk async for chunk in guide.reply(request)]


async def test_repeating_nothing_repeats_the_greeting_or_says_that_there_is_nothing(
    guide: Scripted,
) -> None:
    wish = Message("user", "say that again")
    assert await answer(guide, [Message("assistant", "Welcome."), wish]) == "Welcome."
    assert "not said anything" in await answer(guide, [wish])


async def test_another_one_is_another_one(guide: Scripted) -> None:
    first, second, third = await converse(guide, "tell me a joke", "another one", "another one")
    assert len({first, second, third}) == 3


async def test_the_same_dialogue_gets_the_same_answer_and_another_seed_may_differ(
    guide: Scripted,
) -> None:
    assert await converse(guide, "tell me a joke") == await converse(guide, "tell me a joke")
    others = [Scripted(ScriptedOptions(seed=seed)) for seed in range(8)]
    assert len({(await converse(other, "tell me a joke"))[0] for other in others}) > 1


async def test_tokens_come_word_by_word_and_join_to_the_text(guide: Scripted) -> None:
    request = ReplyRequest([Message("user", "who are you")], max_tokens=5)
    chunks = [chunk async for chunk in guide.reply(request)]
    tokens = [chunk for chunk in chunks if isinstance(chunk, TokenChunk)]
    assert len(tokens) == 5
    assert [token.is_final for token in tokens] == [False] * 4 + [True]
    assert all(len(token.token.split()) == 1 for token in tokens)


def test_every_phrase_is_matched_by_its_own_intent() -> None:
    for phrase in phrases(load()):
        typed = phrase.text.replace(NUMBER, "17").capitalize() + "?"
        assert intent_of(typed) == phrase.intent, typed


def test_stories_are_long_enough_to_interrupt() -> None:
    assert all(110 <= len(story.split()) <= 200 for story in load().intents["story"].replies)


def test_numbers_are_read_as_they_are_spelled() -> None:
    for number in (*range(1200), 2026, 10_000, 340_017, 1_000_000, 999_999_999):
        words = spell(number).split()
        assert read_number(words) == (number, len(words))


def test_a_number_is_read_where_it_stands() -> None:
    text = "add one hundred and five to a thousand and six and go"
    words = text.split()
    assert read_number(words, 1) == (105, 4)
    assert read_number(words, 6) == (1006, 4)
    assert read_number(words, 5) == (0, 0)


class _Looked(list[str]):
    """Words that count how often one of them was looked at or copied."""

    looks = 0

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        self.looks += len(found) if isinstance(at, slice) else 1
        return found


@pytest.mark.parametrize("text", ["one", "hello there", "a hundred and", "twenty thousand and"])
def test_reading_costs_the_same_for_each_word_however_many_there_are(text: str) -> None:
    words = _Looked(text.split() * 500)
    at = 0
    while at < len(words):
        at += max(1, read_number(words, at)[1])
    assert words.looks <= 20 * len(words)


async def test_no_text_is_so_long_that_it_keeps_others_waiting(guide: Scripted) -> None:
    """Longer than any question is not understood, without being read, whatever it says."""
    for text in ("please " * 100 + "what time is it", "one " * 25_000):
        assert intent_of(text) is None
    assert (await converse(guide, "one " * 25_000))[0] in load().fallback


async def test_the_longest_sum_is_short_enough_to_be_understood(guide: Scripted) -> None:
    longest = spell(777_777_777)
    question = f"inzwa, how much is {longest} multiplied by {longest}, please"
    assert str(777_777_777**2) in (await converse(guide, question))[0]


def test_the_time_is_told_as_people_tell_it() -> None:
    from datetime import datetime

    times = {(0, 0): "midnight", (12, 0): "noon", (9, 1): "one minute past nine in the morning",
             (15, 45): "a quarter to four in the afternoon",
             (18, 30): "half past six in the evening",
             (23, 59): "one minute to twelve at night"}  # fmt: skip
    for (hour, minute), told in times.items():
        assert clock(datetime(2026, 11, 21, hour, minute))["time"] == told
    assert clock(datetime(2026, 11, 21))["date"] == "Saturday, 21 November 2026"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("intents: {story: {phrases: [a], replies: []}}", "intents.story.replies"),
        ("intents: {story: {phrases: ['tell (me'], replies: [x]}}", "intents.story.phrases"),
        ("intents: {a: {phrases: [x], replies: ['{secret}']}}", "intents.a"),
        ("intents: {a: {phrases: [x], replies: ['{']}}", "intents.a"),
        ("intents: {a: {phrases: [x], replies: ['{time.real}']}}", "intents.a"),
        ("intents: {a: {phrases: [x], replies: [y], skill: fly}}", "intents.a.skill"),
        ("intents: {a: {phrases: [x y], replies: [y]}, b: {phrases: [x y], replies: [z]}}", "x y"),
        ("colour: blue", "colour"),
        ("- a list", "the file"),
        ("a: [", "not valid YAML"),
    ],
)
def test_a_broken_script_is_refused_by_naming_the_file_and_the_place(
    tmp_path: Path, text: str, place: str
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(place)) as raised:
        Scripted(ScriptedOptions(extra=file))
    assert "mine.yaml" in str(raised.value)


def test_a_script_that_does_not_exist_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml"):
        Scripted(ScriptedOptions(script=tmp_path / "nowhere.yaml"))


async def test_an_extra_script_adds_phrases_and_replaces_answers(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "intents:\n"
        "  opening_hours:\n    phrases: when do you open\n    replies: [We open at eight.]\n"
        "  who_made_you:\n    phrases: who is your maker\n    replies: [Tendai made me.]\n"
        "  shop_help:\n    phrases: help\n    replies: [This is the shop.]\n"
    )
    guide = Scripted(ScriptedOptions(extra=file))
    said = ["when do you open", "who built you", "who is your maker", "help", "help me"]
    answers = await converse(guide, *said)
    assert answers[:4] == [
        "We open at eight.", "Tendai made me.", "Tendai made me.", "This is the shop."
    ]  # fmt: skip
    assert intent_of("help me", file) == "what_can_you_do"


def test_the_shipped_guide_is_part_of_the_package() -> None:
    assert GUIDE.is_file()
