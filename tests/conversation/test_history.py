"""The model is told only what was said and heard."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from inzwa_rtc.conversation.history import MAX_CHARS, History
from inzwa_rtc.engines.contracts import Message, ToolCall


def test_a_caller_who_went_on_before_any_answer_said_one_thing() -> None:
    history = History(10)
    history.add_user("what time is it")
    history.add_assistant("")
    history.add_user("in Harare")
    assert history.messages == [Message("user", "what time is it in Harare")]


def test_words_stay_unanswered_whatever_tools_were_asked_for() -> None:
    history = History(10)
    history.add_user("hello")
    history.add_assistant("Hello.")
    history.add_user("Tell me how to.")
    history.add_tools([ToolCall("weather", {}, "1")], ["24 degrees"])
    history.add_user("kill")
    assert history.unanswered.split() == ["Tell", "me", "how", "to", "kill"]
    history.forget_unanswered()
    assert history.unanswered == ""
    assert history.messages == [Message("user", "hello"), Message("assistant", "Hello.")]


def test_what_was_answered_is_no_longer_unanswered() -> None:
    history = History(10)
    history.add_user("hello")
    history.add_assistant("Hello.")
    assert history.unanswered == ""
    history.forget_unanswered()
    assert len(history.messages) == 2


def test_the_oldest_messages_go_first_and_the_caller_begins() -> None:
    history = History(8)
    for number in range(5):
        history.add_user(f"question {number}")
        history.add_assistant(f"answer {number}")
    assert [message.content for message in history.messages] == [
        "question 3",
        "answer 3",
        "question 4",
        "answer 4",
    ]


def test_what_is_kept_stays_the_same_from_turn_to_turn() -> None:
    """A model has read it then. One message less at each turn would be all of it anew."""
    history = History(40)
    history.add_assistant("Hello.")
    begun_anew = []
    for number in range(100):
        before = history.messages
        history.add_user(f"question {number}")
        history.add_assistant(f"answer {number}")
        if history.messages[: len(before)] != before:
            begun_anew.append(number)
    assert len(begun_anew) <= 100 * 2 / 20 + 1
    assert 18 <= len(history.messages) <= 40
    assert history.messages[0].role == "user"


def test_a_flood_of_messages_that_nobody_answers_stays_within_bounds() -> None:
    history = History(40)
    for _ in range(30):
        history.add_user("word " * 1000)
    assert len(history.unanswered) <= MAX_CHARS
    (message,) = history.messages
    assert len(message.content) <= MAX_CHARS
    assert message.content.startswith("word ")


def test_long_answers_push_out_what_came_before_them() -> None:
    history = History(40)
    history.add_user("old question")
    history.add_assistant("a" * (MAX_CHARS - 20))
    history.add_user("a new and somewhat longer question")
    assert [message.content for message in history.messages] == [
        "a new and somewhat longer question"
    ]


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 2 * MAX_CHARS)), max_size=12),
    st.integers(2, 6),
)
def test_history_never_outgrows_its_bounds(said: list[tuple[bool, int]], limit: int) -> None:
    history = History(limit)
    for is_user, length in said:
        (history.add_user if is_user else history.add_assistant)("w" * length)
        messages = history.messages
        assert len(messages) <= limit
        assert sum(len(message.content) for message in messages) <= MAX_CHARS
        assert all(a.role != b.role for a, b in pairwise(messages))
        last = messages[-1].content if messages else ""
        assert last.endswith("w" * min(length, MAX_CHARS))
