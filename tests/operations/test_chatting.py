"""Dialogues continued for requests."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from inzwa_rtc.engines.contracts import Message, ToolCall, Usage
from inzwa_rtc.errors import EngineError, PeerError
from inzwa_rtc.users import UserSettings, VoiceMode
from signaling.access.caller import Caller
from signaling.operations.chatting import ReplyEnd, ReplyText
from tests.support.engines import ScriptedModel
from tests.support.work import working

ASK = [Message("user", "How are you?")]


async def test_a_reply_comes_word_by_word_and_its_end_last() -> None:
    async with working(llm=ScriptedModel("I am well.")) as shop:
        parts = [part async for part in shop.work.chatting.begin(ASK).parts()]
    assert parts[:-1] == [ReplyText("I "), ReplyText("am "), ReplyText("well. ")]
    assert parts[-1] == ReplyEnd("stop", Usage(3, 3), is_estimated=True)


async def test_a_reply_that_reaches_its_limit_says_so() -> None:
    async with working(llm=ScriptedModel("I am well.")) as shop:
        *_, end = [part async for part in shop.work.chatting.begin(ASK, max_tokens=3).parts()]
    assert isinstance(end, ReplyEnd) and end.finish_reason == "length"


async def test_the_servers_instructions_stand_before_a_dialogue_without_any() -> None:
    own = [Message("system", "Be brief."), *ASK]
    async with working() as shop:
        begun = shop.work.chatting.instructed(ASK, "sn")
        assert begun[0].role == "system" and begun[1:] == ASK
        assert shop.work.chatting.instructed(own, "sn") == own
    async with working(call={"system_prompt": ""}) as shop:
        assert shop.work.chatting.instructed(ASK, "en") == ASK


async def test_there_is_no_call_to_hang_up() -> None:
    async with working(llm=ScriptedModel(ToolCall("hang_up"), "Goodbye.")) as shop:
        text, calls, end = await shop.work.chatting.begin(ASK).whole()
    assert (text, calls, end.finish_reason) == ("Goodbye. ", [], "stop")


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([], "no_question"),
        ([Message("system", "Be brief.")], "no_question"),
        ([*ASK, Message("assistant", "Well.")], "no_question"),
        ([Message("user", " ")], "no_question"),
        ([Message("user", "a" * 5_001)], "text_too_long"),
    ],
)
async def test_what_is_no_question_is_refused(messages: list[Message], code: str) -> None:
    async with working() as shop:
        with pytest.raises(PeerError) as refused:
            shop.work.chatting.begin(messages)
    assert refused.value.code == code


@pytest.mark.parametrize("mode", ["disabled", "transcribe_only"])
async def test_who_is_only_written_down_is_not_answered(mode: VoiceMode) -> None:
    async with working() as shop:
        with pytest.raises(PeerError) as refused:
            shop.work.chatting.begin(ASK, caller=Caller(settings=UserSettings(mode)))
    assert refused.value.status == 403


async def test_a_model_that_does_not_answer_is_given_up_and_closed() -> None:
    model = ScriptedModel(asyncio.Event())
    async with working(llm=model, timeouts={"first_token": 0.01}) as shop:
        with pytest.raises(EngineError) as failed:
            await shop.work.chatting.begin(ASK).whole()
    assert (failed.value.code, model.closed) == ("engine_timeout", 1)


async def test_whoever_leaves_ends_the_work() -> None:
    model = ScriptedModel("I am well.")
    async with working(llm=model) as shop:
        async with aclosing(shop.work.chatting.begin(ASK).parts()) as parts:
            await anext(parts)
            during = model.closed
        assert (during, model.closed) == (0, 1)
