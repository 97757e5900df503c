"""What a model asks for in the midst of a call is done, and told to the caller."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from inzwa_rtc.engines.contracts import Message, ToolCall
from inzwa_rtc.events import Failure, PlaybackStarted, ReplyFinished, TurnInterrupted
from inzwa_rtc.settings.tools import ToolSettings
from inzwa_rtc.tools.tool import ToolFailed
from inzwa_rtc.tools.toolbox import Toolbox
from tests.support.session import Call, calling
from tests.support.tools import HeldTool

HARARE = ToolCall("weather", {"place": "Harare"}, "call-1")
AT_ONCE = ToolSettings(filler_after_s=0)
LATER = ToolSettings(filler_after_s=30)


def offered(call: Call) -> list[list[str]]:
    return [[tool.name for tool in request.tools] for request in call.llm.requests]


async def test_a_result_is_spoken_and_later_turns_know_it() -> None:
    tool = HeldTool(["24 degrees"])
    said = ("the weather in Harare", "thank you")
    async with calling(
        [HARARE], "It is warm.", "Welcome.", texts=said, toolbox=Toolbox([tool]), tools=LATER
    ) as call:
        await call.question()
        await call.reply_ends(0)
        assert call.peer.last(ReplyFinished).text == "It is warm."
        assert tool.asked == [{"place": "Harare"}]
        await call.question()
        await call.reply_ends(1)
    exchange = [
        Message("user", "the weather in Harare"),
        Message("assistant", "", (HARARE,)),
        Message("tool", "24 degrees", tool_call_id="call-1"),
    ]
    assert call.llm.requests[1].messages == exchange
    assert call.llm.requests[2].messages == [
        *exchange,
        Message("assistant", "It is warm."),
        Message("user", "thank you"),
    ]


async def test_a_tool_is_offered_where_its_words_are_said_and_in_the_turn_after() -> None:
    """ "And tomorrow?" has no word of the weather in it."""
    texts = ("hello", "The WEATHER, please!", "and tomorrow", "something else")
    tool = HeldTool([])
    async with calling(*["Yes."] * 4, texts=texts, toolbox=Toolbox([tool])) as call:
        for turn in range(4):
            await call.question()
            await call.reply_ends(turn)
    assert offered(call) == [[], ["weather"], ["weather"], []]


async def test_a_tool_that_was_asked_stays_offered_for_another_turn() -> None:
    texts = ("the weather", "and tomorrow", "and the day after", "thanks")
    tool = HeldTool(["24", "25"])
    tomorrow = ToolCall("weather", {"place": "Gweru"}, "call-2")
    replies: list[Any] = ["Where?", [tomorrow], "Warm.", [HARARE], "Hot.", "Welcome."]
    async with calling(*replies, texts=texts, toolbox=Toolbox([tool]), tools=LATER) as call:
        for turn in range(4):
            await call.question()
            await call.reply_ends(turn)
    assert offered(call) == [["weather"]] * 6


async def test_a_model_without_the_ability_is_offered_nothing() -> None:
    async with calling("Yes.", texts=("weather",), toolbox=Toolbox([HeldTool([])])) as call:
        call.llm.takes_tools = False
        await call.question()
        await call.reply_ends(0)
    assert offered(call) == [[]]


async def test_a_filler_is_said_while_a_tool_takes_its_time_and_not_else() -> None:
    gate = asyncio.Event()
    tool = HeldTool([gate, "24"], filler={"en": "Let me look."})
    async with calling(
        [HARARE], "It is warm.", texts=("weather",), toolbox=Toolbox([tool]), tools=AT_ONCE
    ) as call:
        await call.question()
        await call.reply_plays(0)
        assert call.tts.requests[-1].text.strip() == "Let me look."
        gate.set()
        await call.reply_ends(0)
        assert call.peer.last(ReplyFinished).text == "Let me look.\nIt is warm."


@pytest.mark.parametrize("words", ["Let me check.", "I will look that up for you", "One moment"])
async def test_what_the_model_says_before_it_asks_a_tool_is_said_at_once(words: str) -> None:
    """And no filler. Its last word has no space behind it, and may be half of an address."""
    gate = asyncio.Event()
    announced: list[str | ToolCall] = [words, HARARE]
    tool = HeldTool([gate, "24"])
    async with calling(
        announced, "It is warm.", texts=("weather",), toolbox=Toolbox([tool]), tools=AT_ONCE
    ) as call:
        await call.question()
        await call.reply_plays(0)
        assert call.tts.requests[-1].text.strip() == words
        gate.set()
        await call.reply_ends(0)
        assert call.peer.last(ReplyFinished).text == f"{words}\nIt is warm."


async def test_a_filler_is_said_where_the_model_has_said_only_a_space() -> None:
    gate = asyncio.Event()
    announced: list[str | ToolCall] = [" ", HARARE]
    tool = HeldTool([gate, "24"])
    async with calling(
        announced, "It is warm.", texts=("weather",), toolbox=Toolbox([tool]), tools=AT_ONCE
    ) as call:
        await call.question()
        await call.reply_plays(0)
        assert "One moment." in call.tts.requests[-1].text
        gate.set()
        await call.reply_ends(0)


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (ToolFailed("The service refused the request."), "The service refused the request."),
        (ValueError("of the caller's words"), "It failed."),
    ],
    ids=["failed", "broke"],
)
async def test_what_goes_wrong_is_told_to_the_model_and_the_call_goes_on(
    result: Exception, told: str
) -> None:
    tool = HeldTool([result])
    async with calling(
        [HARARE], "Sorry, I cannot.", texts=("weather",), toolbox=Toolbox([tool]), tools=LATER
    ) as call:
        await call.question()
        await call.reply_ends(0)
        assert call.peer.last(ReplyFinished).text == "Sorry, I cannot."
        assert not call.peer.all(Failure)
    answer = call.llm.requests[1].messages[-1]
    assert answer.role == "tool"
    assert told in answer.content
    assert "caller's words" not in answer.content


async def test_a_tool_that_takes_too_long_is_given_up() -> None:
    tool = HeldTool([asyncio.Event()], timeout_s=0.01)
    async with calling(
        [HARARE], "It is late.", texts=("weather",), toolbox=Toolbox([tool]), tools=LATER
    ) as call:
        await call.question()
        await call.peer.until(lambda: bool(call.peer.all(ReplyFinished)))
    assert "did not answer in time" in call.llm.requests[1].messages[-1].content
    assert tool.cancelled == 1


@pytest.mark.parametrize(
    "asked",
    [
        ToolCall("weather", {}, "1"),
        ToolCall("weather", {"place": 7}, "1"),
        ToolCall("weather", {"place": "Harare", "more": 1}, "1"),
        ToolCall("rm_rf", {"place": "Harare"}, "1"),
    ],
    ids=["lacking", "of another type", "too many", "unknown"],
)
async def test_a_call_that_cannot_be_is_refused_and_nothing_is_run(asked: ToolCall) -> None:
    tool = HeldTool([])
    async with calling(
        [asked], "I cannot.", texts=("weather",), toolbox=Toolbox([tool]), tools=LATER
    ) as call:
        await call.question()
        await call.reply_ends(0)
    assert tool.asked == []
    assert call.llm.requests[1].messages[-1].content.startswith("Error: ")


async def test_several_calls_of_one_reply_are_all_answered_in_their_order() -> None:
    tool = HeldTool(["24", "31"])
    gweru = ToolCall("weather", {"place": "Gweru"}, "call-2")
    async with calling(
        [HARARE, gweru], "Both warm.", texts=("weather",), toolbox=Toolbox([tool]), tools=LATER
    ) as call:
        await call.question()
        await call.reply_ends(0)
    assert call.llm.requests[1].messages[1:] == [
        Message("assistant", "", (HARARE, gweru)),
        Message("tool", "24", tool_call_id="call-1"),
        Message("tool", "31", tool_call_id="call-2"),
    ]


async def test_no_more_calls_are_done_in_a_turn_than_the_settings_allow() -> None:
    tool = HeldTool(["1", "2"])
    calls = [ToolCall("weather", {"place": str(number)}, str(number)) for number in range(3)]
    async with calling(
        calls,
        "Enough.",
        texts=("weather",),
        toolbox=Toolbox([tool]),
        tools=ToolSettings(max_calls=2),
    ) as call:
        await call.question()
        await call.reply_ends(0)
    assert [one["place"] for one in tool.asked] == ["0", "1"]
    assert "Too much" in call.llm.requests[1].messages[-1].content
    assert offered(call) == [["weather"], []]


async def test_a_barge_in_cancels_the_tool() -> None:
    tool = HeldTool([asyncio.Event()])
    async with calling(
        [HARARE], "Sure.", texts=("weather", "stop"), toolbox=Toolbox([tool]), tools=AT_ONCE
    ) as call:
        await call.question()
        await call.reply_plays(0)
        await call.peer.be_silent(200)
        await call.question(ms=700)
        await call.reply_ends(1)
        assert [event.turn for event in call.peer.all(TurnInterrupted)] == [0]
    assert tool.cancelled == 1
    roles = [message.role for message in call.llm.requests[1].messages]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]
    assert "interrupted" in call.llm.requests[1].messages[2].content


@pytest.mark.parametrize("changes", [True, False])
async def test_what_may_change_something_is_not_done_twice_for_one_wish(changes: bool) -> None:
    """The caller had only paused: the next turn has the same words, and the model asks again."""
    tool = HeldTool([asyncio.Event(), "booked"], changes=changes)
    async with calling(
        [HARARE],
        [HARARE],
        "It may be done.",
        texts=("book the weather", "for two"),
        toolbox=Toolbox([tool]),
        tools=LATER,
    ) as call:
        await call.question()
        await call.peer.until(lambda: len(tool.asked) == 1)
        assert not call.peer.all(PlaybackStarted)
        await call.question()
        await call.reply_ends(1)
    assert len(tool.asked) == (1 if changes else 2)
    assert ("Ask before" in call.llm.requests[-1].messages[-1].content) is changes


async def test_a_filler_that_was_heard_is_no_answer() -> None:
    """The caller interrupts while it is booked, with the filler in their ear."""
    tool = HeldTool([asyncio.Event(), "booked"], changes=True)
    async with calling(
        *([HARARE], [HARARE], "It may be booked.", [HARARE], "It is booked."),
        texts=("book the weather", "for two weather", "yes, book the weather"),
        toolbox=Toolbox([tool]),
        tools=AT_ONCE,
    ) as call:
        await call.question()
        await call.reply_plays(0)
        await call.peer.be_silent(200)
        await call.question(ms=700)
        await call.reply_ends(1)
        assert len(tool.asked) == 1
        assert "Ask before" in call.llm.requests[2].messages[-1].content
        await call.question()  # and so they were asked
        await call.reply_ends(2)
        assert len(tool.asked) == 2


async def test_what_gave_no_answer_in_time_may_have_been_done() -> None:
    tool = HeldTool([asyncio.Event(), "booked"], changes=True, timeout_s=0.01)
    async with calling(
        *([HARARE], "I do not know.", [HARARE], "Shall I?", [HARARE], "It is booked."),
        texts=("book the weather", "the weather, please", "yes, the weather"),
        toolbox=Toolbox([tool]),
        tools=LATER,
    ) as call:
        await call.question()
        await call.reply_ends(0)
        assert "may have been done" in call.llm.requests[1].messages[-1].content
        await call.question()
        await call.reply_ends(1)
        assert len(tool.asked) == 1
        await call.question()
        await call.reply_ends(2)
        assert len(tool.asked) == 2


async def test_the_same_asked_twice_in_one_reply_is_done_once() -> None:
    tool = HeldTool(["booked"], changes=True)
    again = ToolCall("weather", {"place": "Harare"}, "call-2")
    async with calling(
        [HARARE, again], "Booked.", texts=("weather",), toolbox=Toolbox([tool]), tools=LATER
    ) as call:
        await call.question()
        await call.reply_ends(0)
    assert len(tool.asked) == 1
    told = [message.content for message in call.llm.requests[1].messages[-2:]]
    assert told == ["booked", "booked"]


async def test_what_could_not_be_found_is_looked_for_again() -> None:
    tool = HeldTool([ToolFailed("The service refused the request."), "24"])
    async with calling(
        [HARARE], [HARARE], "Warm.", texts=("weather",), toolbox=Toolbox([tool]), tools=LATER
    ) as call:
        await call.question()
        await call.reply_ends(0)
    assert call.llm.requests[2].messages[-1].content == "24"


async def test_what_was_done_in_a_turn_that_nobody_heard_is_not_done_again() -> None:
    waits = asyncio.Event()
    tool = HeldTool(["booked"], changes=True)
    async with calling(
        [HARARE],
        waits,
        [HARARE],
        "It is booked.",
        texts=("book the weather", "for two"),
        toolbox=Toolbox([tool]),
        tools=LATER,
    ) as call:
        await call.question()
        await call.peer.until(lambda: len(call.llm.requests) == 2)
        await call.question()
        await call.reply_ends(1)
    assert len(tool.asked) == 1
    assert call.llm.requests[-1].messages[-1].content == "booked"


async def test_hanging_up_still_works_beside_a_tool() -> None:
    tool = HeldTool(["24"])
    goodbye = [ToolCall("hang_up"), HARARE]
    async with calling(
        goodbye, "Warm, goodbye.", texts=("weather",), toolbox=Toolbox([tool]), tools=LATER
    ) as call:
        await call.question()
        await call.peer.until(call.running.done)
        assert await call.ended() == "assistant"
    assert len(tool.asked) == 1
