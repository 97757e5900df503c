"""What may be said in a call: refused words, refused answers, and what is taken out of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest
import structlog

from inzwa_rtc.conversation.peer import TypedText
from inzwa_rtc.engines.contracts import Message, ReplyRequest, TokenChunk, ToolCall
from inzwa_rtc.events import (
    Caption,
    Failure,
    PlaybackEnded,
    ReplyFinished,
    ReplyToken,
    TurnInterrupted,
    TurnRefused,
)
from inzwa_rtc.safety import ALLOWED, Safety, Verdict
from inzwa_rtc.settings.safety import SafetySettings
from inzwa_rtc.tools.toolbox import Toolbox
from tests.support.engines import ScriptedModel
from tests.support.safety import shipped
from tests.support.session import STORY, SteeredRecognizer, calling
from tests.support.tools import HeldTool

REFUSED = "how do I kill someone"
SUPPORT = shipped().lines("en")[-2:]
REFUSALS = [shipped().answer(Verdict("refuse", "violence"), "en") for _ in range(3)]


async def test_refused_words_are_answered_by_a_refusal_that_is_spoken() -> None:
    async with calling(texts=(REFUSED,)) as call:
        await call.question()
        await call.reply_ends(0)
        assert call.peer.all(TurnRefused) == [TurnRefused(0, "violence")]
        told = call.peer.last(ReplyFinished).text
        assert told in REFUSALS
        assert "".join(event.token for event in call.peer.all(ReplyToken)) == told
        assert [request.text for request in call.tts.requests][-1] == told
        assert call.llm.requests == []


async def test_refused_words_never_reach_the_model_in_a_later_turn_either() -> None:
    async with calling("It is noon.", texts=(REFUSED, "what time is it")) as call:
        await call.question()
        await call.reply_ends(0)
        await call.question()
        await call.reply_ends(1)
        refusal = call.peer.all(ReplyFinished)[0].text
        assert call.llm.requests[0].messages == [
            Message("assistant", refusal),
            Message("user", "what time is it"),
        ]


async def test_typed_words_are_checked_like_spoken_ones() -> None:
    async with calling() as call:
        await call.peer.command(TypedText(REFUSED))
        await call.reply_ends(0)
        assert call.peer.all(TurnRefused) == [TurnRefused(0, "violence")]
        assert call.llm.requests == []


async def test_calls_go_on_while_a_long_text_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, begun, may_end = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    check = Safety.check

    def slow(safety: Safety, text: str, language: str) -> Verdict:
        loop.call_soon_threadsafe(begun.set)
        assert may_end.wait(20)
        return check(safety, text, language)

    async with calling() as call:
        monkeypatch.setattr(Safety, "check", slow)
        await call.peer.command(TypedText(f"{'well ' * 900} {REFUSED}"))
        async with asyncio.timeout(20):
            await begun.wait()
        may_end.set()
        await call.reply_ends(0)
        assert call.peer.all(TurnRefused) == [TurnRefused(0, "violence")]


async def test_somebody_in_need_is_told_where_to_find_help() -> None:
    lines: dict[str, tuple[str, ...]] = {"en": ("Call the night line.",)}
    async with calling(texts=("I want to die",), safety=SafetySettings(help_lines=lines)) as call:
        await call.question()
        await call.reply_ends(0)
        assert call.peer.all(TurnRefused) == [TurnRefused(0, "self_harm")]
        assert call.peer.last(ReplyFinished).text.endswith("Call the night line.")


async def test_words_that_only_together_are_refused_reach_no_model() -> None:
    """A pause in the middle of a sentence makes two turns of it."""
    never = asyncio.Event()
    texts = ("how do I", "kill someone", "what time is it")
    async with calling(never, "It is noon.", texts=texts) as call:
        await call.question()
        await call.peer.until(lambda: bool(call.llm.requests))
        await call.question()
        await call.reply_ends(1)
        assert call.peer.last(TurnRefused).turn == 1
        await call.question()
        await call.reply_ends(2)
        asked = call.llm.requests[-1].messages
        assert [message.content for message in asked if message.role == "user"] == [texts[2]]


async def test_a_tool_that_was_asked_for_does_not_part_what_is_refused_together() -> None:
    weather = HeldTool([asyncio.Event()])
    texts = ("tell me with the weather today how to.", "kill my wife", "what time is it")
    asked = ToolCall("weather", {"place": "Harare"}, "1")
    async with calling([asked], "Noon.", texts=texts, toolbox=Toolbox([weather])) as call:
        await call.question()
        await call.peer.until(lambda: bool(weather.asked))
        await call.question()
        await call.reply_ends(1)
        assert call.peer.last(TurnRefused) == TurnRefused(1, "violence")
        await call.question()
        await call.reply_ends(2)
        messages = call.llm.requests[-1].messages
        assert [message.role for message in messages] == ["assistant", "user"]
        assert messages[-1].content == texts[2]


async def test_somebody_in_need_who_speaks_on_is_supported_first() -> None:
    asr = SteeredRecognizer("I want to kill myself", "are you there")
    asr.ready.clear()
    with structlog.testing.capture_logs() as lines:
        async with calling("I am here.", asr=asr) as call:
            await call.question()
            await call.question()
            asr.ready.set()
            await call.reply_ends(1)
            support, answer = (event.text for event in call.peer.all(ReplyFinished))
            assert support in SUPPORT
            assert answer.strip() == "I am here."
            assert call.peer.all(TurnRefused) == [TurnRefused(0, "self_harm")]
    (line,) = [line for line in lines if line["event"] == "safety.refused"]
    assert line["action"] == "support"


async def test_an_answer_ends_where_it_must_not_go_on_and_its_stream_is_closed() -> None:
    answer = "Well then. All jews are rats. And one more thing, which nobody hears."
    async with calling(answer) as call:
        await call.question()
        await call.reply_ends(0)
        assert call.peer.all(TurnRefused) == [TurnRefused(0, "hate")]
        told = call.peer.last(ReplyFinished).text
        assert told.startswith("Well then. ")
        assert told.removeprefix("Well then. ") in REFUSALS
        assert "".join(event.token for event in call.peer.all(ReplyToken)) == told
        assert call.llm.closed == 1
        assert not call.peer.all(Failure)


async def test_a_refused_answer_hangs_up_on_nobody() -> None:
    answer: list[str | ToolCall] = ["All jews are rats. Goodbye.", ToolCall("hang_up")]
    async with calling(answer, "Yes.", texts=("hello", "are you there")) as call:
        await call.question()
        await call.reply_ends(0)
        assert call.peer.all(TurnRefused) == [TurnRefused(0, "hate")]
        await call.question()
        await call.reply_ends(1)
        assert call.peer.last(ReplyFinished).text.strip() == "Yes."


async def test_history_holds_what_was_told_instead() -> None:
    answer = "Well then. All jews are rats. And more."
    async with calling(answer, "Yes.", texts=("tell me", "go on")) as call:
        await call.question()
        await call.reply_ends(0)
        told = call.peer.last(ReplyFinished).text
        await call.question()
        await call.reply_ends(1)
        assert call.llm.requests[1].messages[1] == Message("assistant", told)


async def test_personal_data_are_neither_told_nor_spoken_though_split_over_phrases() -> None:
    answer = "You can reach her any time you like, her number is 077 2123 456, and so on."
    async with calling(answer) as call:
        await call.question()
        await call.reply_ends(0)
        told = call.peer.last(ReplyFinished).text
        assert told == answer.replace("077 2123 456", "[phone number]")
        spoken = "".join(request.text for request in call.tts.requests)
        for text in (told, spoken, "".join(one.token for one in call.peer.all(ReplyToken))):
            assert "077" not in text
        for caption in call.peer.all(Caption):
            assert told[caption.offset :].startswith(caption.text.strip())


async def test_tokens_are_told_phrase_by_phrase_once_they_are_checked() -> None:
    async with calling("Hello there, my friend. It is a fine day.") as call:
        await call.question()
        await call.reply_ends(0)
        assert [event.token for event in call.peer.all(ReplyToken)] == [
            "Hello there, ",
            "my friend. ",
            "It is a fine day.",
        ]


async def test_the_first_phrase_is_spoken_while_the_rest_is_not_made_yet() -> None:
    class Thinking(ScriptedModel):
        async def reply(self, request: ReplyRequest) -> AsyncGenerator[TokenChunk | ToolCall, None]:
            yield TokenChunk("Hello there, my ")
            await asyncio.Event().wait()

    async with calling() as call:
        call.source.now = replace(call.source.now, llm=Thinking())
        await call.question()
        await call.reply_plays(0)
        assert call.tts.requests[-1].text == "Hello there, "


async def test_a_refusal_can_be_interrupted_like_any_answer() -> None:
    async with calling("Yes.", texts=(REFUSED, "what time is it")) as call:
        await call.question()
        await call.reply_plays(0)
        await call.peer.command(TypedText("stop"))
        await call.peer.until(lambda: bool(call.peer.all(TurnInterrupted)))
        await call.peer.until(lambda: PlaybackEnded(1) in call.peer.events)


async def test_an_operator_who_wants_no_checks_has_none() -> None:
    async with calling(STORY, texts=(REFUSED,), safety=SafetySettings(enabled=False)) as call:
        await call.question()
        await call.reply_plays(0)
        assert call.llm.requests[0].messages == [Message("user", REFUSED)]
        assert call.source.now.safety.check(REFUSED, "en") == ALLOWED


async def test_the_log_says_what_was_refused_without_a_word_of_it() -> None:
    with structlog.testing.capture_logs() as lines:
        async with calling(texts=(REFUSED,)) as call:
            await call.question()
            await call.reply_ends(0)
    (line,) = [line for line in lines if line["event"] == "safety.refused"]
    assert (line["category"], line["whose"], line["turn"]) == ("violence", "caller", 0)
    assert len(line["text"]) == 16
    assert "someone" not in str(line["text"])
