"""The caller goes on before they were answered, or says what nobody understands."""

from __future__ import annotations

import asyncio

import pytest

from inzwa_rtc.conversation.peer import TypedText
from inzwa_rtc.conversation.spoken import lines
from inzwa_rtc.engines.contracts import Message
from inzwa_rtc.events import (
    Failure,
    PlaybackStarted,
    ReplyFinished,
    ReplyToken,
    SpeechStopped,
    Transcript,
    TurnInterrupted,
)
from tests.support.session import BROKEN, SteeredRecognizer, calling


async def test_a_caller_who_goes_on_before_the_answer_said_one_thing() -> None:
    thinking = asyncio.Event()
    async with calling(thinking, "It rains.", texts=("how is the weather", "in mutare")) as call:
        await call.question()
        await call.peer.until(lambda: bool(call.llm.requests))
        await call.peer.speak(600)
        assert call.peer.all(TurnInterrupted) == [TurnInterrupted(0, "")]
        await call.peer.be_silent(520)
        await call.reply_plays(1)
        assert call.llm.requests[1].messages == [Message("user", "how is the weather in mutare")]


async def test_a_murmur_before_the_answer_only_delays_it() -> None:
    thinking = asyncio.Event()
    async with calling(thinking, "It rains.", texts=("how is the weather", "")) as call:
        await call.question()
        await call.peer.speak(300)
        thinking.set()
        await call.peer.be_silent(480)
        assert call.peer.all(PlaybackStarted) == []
        await call.reply_ends(0)
        assert call.peer.all(TurnInterrupted) == []


@pytest.mark.parametrize("ms", [300, 600])
async def test_words_still_being_recognised_are_kept_when_the_caller_goes_on(ms: int) -> None:
    asr = SteeredRecognizer("one", "two", "three")
    async with calling("Fine.", asr=asr) as call:
        asr.ready.clear()
        await call.question(ms)
        await call.question(ms)
        await call.peer.speak(600)
        asr.ready.set()
        await call.peer.be_silent(520)
        await call.reply_plays(2)
        assert call.llm.requests[-1].messages == [Message("user", "one two three")]
        assert [event.text for event in call.peer.all(Transcript)] == ["one", "two", "three"]


@pytest.mark.parametrize("ms", [300, 600])
async def test_an_apology_gives_way_to_a_caller_who_has_gone_on(ms: int) -> None:
    """The recogniser hangs, and the caller asks whether anybody is there."""
    asr = SteeredRecognizer(BROKEN, "anybody there")
    async with calling("I am here.", asr=asr, call={"idle_prompt_s": 5}) as call:
        asr.ready.clear()
        await call.question()
        await call.peer.speak(ms)
        asr.ready.set()
        await call.peer.be_silent(520)
        await call.reply_ends(1)
        assert [event.turn for event in call.peer.all(Failure)] == [0]
        assert [event.turn for event in call.peer.all(PlaybackStarted)] == [1]
        await call.reply_ends(2)  # the call is not stuck: an idle caller is asked
        assert call.peer.last(ReplyFinished).text == lines("en").idle


async def test_an_apology_held_by_a_murmur_is_spoken_when_it_was_nothing() -> None:
    asr = SteeredRecognizer(BROKEN, "")
    async with calling(asr=asr) as call:
        asr.ready.clear()
        await call.question()
        await call.peer.speak(300)
        asr.ready.set()
        await call.peer.be_silent(480)
        assert call.peer.all(Failure)
        assert call.peer.all(PlaybackStarted) == []
        await call.reply_ends(0)
        assert call.peer.last(ReplyFinished).text == lines("en").fault


async def test_nobody_apologises_into_the_callers_sentence() -> None:
    async with calling(asr=SteeredRecognizer(BROKEN)) as call:
        await call.peer.speak(1000)
        assert call.peer.all(Failure) == []
        await call.peer.be_silent(520)
        await call.reply_ends(0)
        kinds = [type(event) for event in call.peer.events]
        assert kinds.index(SpeechStopped) < kinds.index(PlaybackStarted)


async def test_speech_that_was_not_understood_is_said_so_and_short_noise_is_not() -> None:
    async with calling(texts=("", "")) as call:
        await call.question(ms=300)
        await call.peer.be_silent(500)
        assert call.peer.all(ReplyToken) == []
        await call.question(ms=900)
        await call.reply_ends(1)
        assert call.peer.last(ReplyFinished).text == lines("en").not_understood
        assert call.llm.requests == []


async def test_a_typed_message_waits_for_the_sentence_that_is_being_spoken() -> None:
    async with calling("Both.", texts=("what is this",)) as call:
        await call.peer.speak(300)
        await call.peer.command(TypedText("and that"))
        assert call.llm.requests == []
        await call.peer.speak(100)
        await call.peer.be_silent(520)
        await call.reply_ends(1)
        assert call.llm.requests[0].messages == [Message("user", "what is this and that")]


async def test_more_than_can_wait_is_refused_and_what_waits_is_answered() -> None:
    async with calling("Yes.", asr=SteeredRecognizer()) as call:
        for number in range(6):
            call.peer._items.put_nowait(TypedText(f"message {number}"))
        await call.peer.be_silent(20)
        told = [event.turn for event in call.peer.all(Transcript)]
        refused = [event.turn for event in call.peer.all(Failure)]
        assert sorted([*told, *filter(None, refused)]) == [0, 1, 2, 3, 4, 5]
        assert {event.code for event in call.peer.all(Failure)} == {"busy"}
        await call.reply_ends(told[-1])
        assert call.llm.requests[-1].messages[-1].content.endswith(f"message {told[-1]}")
