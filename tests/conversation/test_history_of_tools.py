"""What tools told is part of the dialogue, in part, and for as long as the rest of it."""

from __future__ import annotations

from inzwa_rtc.conversation.history import RESULT_CHARS, History
from inzwa_rtc.engines.contracts import Message, ToolCall

FIRST, SECOND = ToolCall("weather", {"place": "Harare"}, "1"), ToolCall("time", {}, "2")


def test_calls_and_results_stand_between_the_words_and_the_answer() -> None:
    history = History(40)
    history.add_user("the weather and the time")
    history.add_tools([FIRST, SECOND], ["24 degrees", "noon"])
    history.add_assistant("Warm, and noon.")
    assert history.messages[1:] == [
        Message("assistant", "", (FIRST, SECOND)),
        Message("tool", "24 degrees", tool_call_id="1"),
        Message("tool", "noon", tool_call_id="2"),
        Message("assistant", "Warm, and noon."),
    ]


def test_two_rounds_of_calls_stay_two() -> None:
    history = History(40)
    history.add_user("book it")
    history.add_tools([FIRST], ["24 degrees"])
    history.add_tools([SECOND], ["noon"])
    roles = [message.role for message in history.messages]
    assert roles == ["user", "assistant", "tool", "assistant", "tool"]


def test_the_beginning_of_a_long_result_is_kept() -> None:
    history = History(40)
    history.add_user("the weather")
    history.add_tools([FIRST], ["x" * 5000])
    assert len(history.messages[-1].content) == RESULT_CHARS


def test_what_is_left_begins_with_the_caller() -> None:
    for limit in range(16, 40):
        history = History(limit)
        for turn in range(20):
            history.add_user(f"question {turn}")
            history.add_tools([FIRST, SECOND], ["one", "two"])
            history.add_assistant(f"answer {turn}")
            history.add_user("and")
            assert history.messages[0].role == "user"
            history.add_assistant("so")
            assert len(history.messages) <= limit
