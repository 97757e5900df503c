"""Somebody who is only written down hears nothing; somebody who is only read to is not heard;
somebody from whom voice is taken is told, and the call ends."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from inzwa_rtc.conversation.peer import StartTurn, TypedText
from inzwa_rtc.conversation.session import DISMISSAL_S
from inzwa_rtc.conversation.spoken import lines
from inzwa_rtc.events import (
    Event,
    Failure,
    PlaybackStarted,
    ReplyFinished,
    SessionEnded,
    SessionStarted,
    Transcript,
)
from inzwa_rtc.users import VoiceMode
from tests.support.session import BROKEN, STORY, Call, SteeredRecognizer, calling


def _has_finals(call: Call, count: int) -> bool:
    return len(finals(call.peer.events)) == count


async def test_who_is_only_written_down_gets_every_transcript_and_no_word_more() -> None:
    async with calling(
        "never said", texts=("one", "two"), greeting=None, mode="transcribe_only"
    ) as call:
        for turn in range(2):
            await call.question()
            await call.peer.until(partial(_has_finals, call, turn + 1))
        assert [final.text for final in finals(call.peer.events)] == ["one", "two"]
        assert started(call.peer.events).voice_mode == "transcribe_only"
        assert not call.llm.requests
        assert not any(isinstance(one, PlaybackStarted | ReplyFinished) for one in call.peer.events)
        await call.peer.command(TypedText("hello?"))
        await call.peer.until(lambda: "not_in_voice_mode" in codes(call.peer.events))
        assert len(finals(call.peer.events)) == 2


async def test_who_is_only_written_down_is_told_what_was_not_understood() -> None:
    asr = SteeredRecognizer(BROKEN, "and this was")
    async with calling(asr=asr, mode="transcribe_only") as call:
        await call.question()
        await call.peer.until(lambda: BROKEN.code in codes(call.peer.events))
        await call.question()
        await call.peer.until(lambda: len(finals(call.peer.events)) == 1)
        assert not any(isinstance(one, PlaybackStarted) for one in call.peer.events)


async def test_a_silent_line_of_a_scribe_is_closed_without_a_word() -> None:
    limits = {"idle_prompt_s": 1.0, "idle_limit_s": 3.0}
    async with calling(mode="transcribe_only", call=limits) as call:
        await call.peer.until(lambda: call.running.done())
        assert await call.ended() == "idle"
        assert call.peer.events[-1] == SessionEnded("idle")
        assert not any(isinstance(one, PlaybackStarted) for one in call.peer.events)


async def test_who_is_only_read_to_types_is_answered_aloud_and_is_not_listened_to() -> None:
    async with calling(STORY, mode="tts_only") as call:
        await call.peer.speak(1500)
        await call.peer.be_silent(1000)
        await call.peer.command(StartTurn())
        await call.peer.command(TypedText("a story, please"))
        await call.reply_plays(0)
        await call.peer.speak(1500)
        await call.reply_ends(0)
        assert not call.asr.fed, "nobody listened"
        assert [one.text for one in finals(call.peer.events)] == ["a story, please"]
        assert codes(call.peer.events) == ["not_in_voice_mode"]
        assert started(call.peer.events).voice_mode == "tts_only"


async def test_who_is_only_read_to_is_greeted() -> None:
    async with calling(greeting=None, mode="tts_only") as call:
        await call.reply_plays(0)


async def test_from_whom_voice_is_taken_is_told_aloud_and_the_call_ends() -> None:
    async with calling(STORY) as call:
        await call.story_plays()
        call.session.dismiss()
        call.session.dismiss()
        await call.peer.until(lambda: call.running.done())
        assert await call.ended() == "disabled"
        assert [one.text for one in call.peer.events if isinstance(one, ReplyFinished)][-1] == (
            lines("en").disabled
        )


@pytest.mark.parametrize("mode", ["transcribe_only", "tts_only", "conversation"])
async def test_the_call_ends_within_seconds_also_for_one_who_talks_over_it(
    mode: VoiceMode,
) -> None:
    async with calling(STORY, texts=("no",) * 9, mode=mode) as call:
        await call.peer.speak(100)
        call.session.dismiss()
        speaking = asyncio.create_task(call.peer.speak(60_000))
        assert await call.ended() == "disabled"
        speaking.cancel()
        assert call.session.elapsed_s <= DISMISSAL_S + 0.2


def finals(events: list[Event]) -> list[Transcript]:
    return [one for one in events if isinstance(one, Transcript) and one.is_final]


def started(events: list[Event]) -> SessionStarted:
    return next(one for one in events if isinstance(one, SessionStarted))


def codes(events: list[Event]) -> list[str]:
    return [one.code for one in events if isinstance(one, Failure)]
