"""Dialogues in the form that the strictest of chat templates takes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inzwa_rtc.engines.contracts import Message, ToolCall
from inzwa_rtc.engines.llm.dialogue import acceptable, without_system

SYSTEM = Message("system", "Be brief.")
MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(["system", "user", "assistant"]), st.text(max_size=5)),
    max_size=12,
)


@given(MESSAGES)
def test_the_user_begins_and_both_speak_in_turn(messages: list[Message]) -> None:
    roles = [message.role for message in acceptable(messages)]
    if roles[:1] == ["system"]:
        del roles[0]
    assert roles == [("user", "assistant")[number % 2] for number in range(len(roles))]


@given(MESSAGES)
def test_nothing_that_was_said_is_lost(messages: list[Message]) -> None:
    for dialogue in (acceptable(messages), without_system(acceptable(messages))):
        whole = "".join(message.content for message in dialogue)
        assert all(message.content in whole for message in messages)


@given(MESSAGES)
def test_what_is_acceptable_stays_as_it_is(messages: list[Message]) -> None:
    assert acceptable(acceptable(messages)) == acceptable(messages)


def test_a_greeting_is_a_note_at_the_end_of_the_system_prompt() -> None:
    system, user = acceptable([SYSTEM, Message("assistant", "Hello."), Message("user", "hi")])
    assert system.content.startswith("Be brief.\n\n")
    assert system.content.endswith("You have said: Hello.")
    assert user == Message("user", "hi")


def test_the_note_does_not_change_as_the_dialogue_goes_on() -> None:
    said = [SYSTEM, Message("assistant", "Hello."), Message("user", "hi")]
    longer = [*said, Message("assistant", "Yes?"), Message("user", "no")]
    assert acceptable(longer)[: len(acceptable(said))] == acceptable(said)
    assert acceptable(said[:2]) == acceptable(said)[:1]


def test_without_a_place_for_it_the_system_prompt_begins_the_first_message() -> None:
    said = (SYSTEM, Message("user", "hi"), Message("assistant", "Yes?"), Message("user", "no"))
    assert without_system(said) == (Message("user", "Be brief.\n\nhi"), *said[2:])
    assert without_system(said[:1]) == (Message("user", "Be brief."),)
    assert without_system(said[1:]) == said[1:]


def test_halves_of_a_character_do_not_reach_a_model() -> None:
    (message,) = acceptable([Message("user", "a \ud83d b \ud83d\udc26 \udc26")])
    assert message.content == "a \ufffd b \N{BIRD} \ufffd"


CALL = ToolCall("weather", {"place": "Harare"}, "1")
EXCHANGE = [
    Message("user", "the weather"),
    Message("assistant", "", (CALL,)),
    Message("tool", "24", tool_call_id="1"),
]


def test_calls_and_results_stand_as_they_are() -> None:
    answer = Message("assistant", "It is warm.")
    assert acceptable([*EXCHANGE, answer]) == (*EXCHANGE, answer)


def test_after_a_result_that_nobody_was_told_the_assistant_says_something() -> None:
    """Templates want the two in turn, and take the result for a part of the assistant's."""
    roles = [message.role for message in acceptable([*EXCHANGE, Message("user", "in Gweru")])]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]


def test_what_tools_told_before_the_first_words_is_left_out() -> None:
    (system, user) = acceptable([SYSTEM, *EXCHANGE[1:], Message("user", "hi")])
    assert "24" not in system.content
    assert user == Message("user", "hi")
