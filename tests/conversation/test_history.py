"""The model is told only what was said and heard."""

from __future__ import annotations

from inzwa_rtc.conversation.history import History
from inzwa_rtc.engines.contracts import Message


def test_a_caller_who_went_on_before_any_answer_said_one_thing() -> None:
    history = History(None, 10)
    history.add_user("what time is it")
    history.add_assistant("")
    history.add_user("in Harare")
    assert history.messages == [Message("user", "what time is it in Harare")]


def test_the_oldest_messages_go_first_and_the_system_prompt_stays() -> None:
    history = History("Be brief.", 4)
    for number in range(5):
        history.add_user(f"question {number}")
        history.add_assistant(f"answer {number}")
    assert [message.content for message in history.messages] == [
        "Be brief.",
        "question 3",
        "answer 3",
        "question 4",
        "answer 4",
    ]
