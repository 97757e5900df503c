"""Nothing is done twice that a tool may have done."""

from __future__ import annotations

import asyncio

import pytest

from inzwa_rtc.engines.contracts import ToolCall
from inzwa_rtc.events import PlaybackStarted
from inzwa_rtc.settings.tools import ToolSettings
from inzwa_rtc.tools.tool import ToolFailed
from inzwa_rtc.tools.toolbox import Toolbox
from tests.support.session import calling
from tests.support.tools import HeldTool

HARARE = ToolCall("weather", {"place": "Harare"}, "call-1")
AT_ONCE = ToolSettings(filler_after_s=0)
LATER = ToolSettings(filler_after_s=30)


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
