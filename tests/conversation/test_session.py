"""A call's course, told by feeding frames: no clock, no network, no models."""

from __future__ import annotations

import asyncio
from typing import Any

from inzwa_rtc.conversation.peer import EndTurn, HangUp, TypedText, UpdateVoice
from inzwa_rtc.conversation.spoken import lines
from inzwa_rtc.engines.contracts import Message, ToolCall
from inzwa_rtc.events import (
    Failure,
    PlaybackHeld,
    PlaybackReleased,
    PlaybackStarted,
    ReplyFinished,
    ReplyToken,
    SessionEnded,
    SessionStarted,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    Transcript,
    TurnInterrupted,
    TurnMetrics,
)
from tests.support.session import STORY, calling


async def test_a_question_is_transcribed_answered_and_spoken() -> None:
    async with calling("It is noon.", texts=("what time is it",)) as call:
        await call.peer.be_silent(100)
        await call.question()
        await call.reply_ends(0)
        events = [event for event in call.peer.events if not isinstance(event, SessionStarted)]
        kinds = [type(event) for event in events]
        order = [SpeechStarted, SpeechStopped, Transcript, ReplyToken, PlaybackStarted]
        assert [kinds.index(kind) for kind in order] == sorted(kinds.index(kind) for kind in order)
        assert call.peer.last(Transcript).text == "what time is it"
        assert call.peer.last(ReplyFinished).text == "It is noon. "
        assert call.llm.requests[0].messages == [Message("user", "what time is it")]
        metrics = call.peer.last(TurnMetrics)
        marks = [
            metrics.silence_ms,
            metrics.transcript_ms,
            metrics.first_token_ms,
            metrics.first_audio_ms,
        ]
        assert marks == sorted(marks)
        assert marks[0] == 500


async def test_the_recogniser_hears_the_start_of_the_first_word() -> None:
    async with calling("Yes.") as call:
        await call.peer.be_silent(1000)
        await call.question(ms=600)
        await call.reply_plays(0)
        lead_ms = len(call.asr.fed[0].split(b"\x10\x10")[0]) // 32
        assert lead_ms == 300
        assert call.asr.fed[0].count(b"\x10\x10") == 600 * 16


async def test_the_call_begins_with_a_greeting_that_the_model_knows_of() -> None:
    async with calling("Fine.", greeting=None) as call:
        await call.reply_ends(0)
        await call.question()
        await call.reply_plays(1)
        assert call.llm.requests[0].messages[0] == Message("assistant", lines("en").greeting)


async def test_playback_pauses_within_one_frame_and_resumes_after_a_cough() -> None:
    async with calling(STORY) as call:
        await call.question()
        await call.reply_plays(0)
        call.peer.pulled.clear()
        await call.peer.speak(100)  # a cough: possible speech after 60 ms
        assert [frame is None for frame in call.peer.pulled] == [False, False, True, True, True]
        await call.peer.be_silent(200)
        assert call.peer.all(PlaybackHeld) == [PlaybackHeld(0)]
        assert call.peer.all(PlaybackReleased) == [PlaybackReleased(0)]
        await call.reply_ends(0)
        assert call.peer.all(TurnInterrupted) == []
        played = b"".join(frame for frame in call.peer.pulled if frame)
        whole = b"".join([chunk.pcm async for chunk in call.tts.synthesize(call.tts.requests[-1])])
        assert played.endswith(whole[-6400:])


async def test_history_after_an_interruption_ends_at_the_last_word_heard() -> None:
    async with calling(STORY, "I will stop.", texts=("tell me a story", "stop")) as call:
        await call.question()
        await call.reply_plays(0)
        await call.peer.be_silent(1000)
        await call.peer.speak(200)
        (interrupted,) = call.peer.all(TurnInterrupted)
        assert STORY.startswith(interrupted.heard)
        assert 4 <= len(interrupted.heard.split()) <= 6
        assert call.llm.closed == 1
        await call.peer.speak(400)
        await call.peer.be_silent(520)
        await call.reply_plays(1)
        assert call.llm.requests[1].messages == [
            Message("user", "tell me a story"),
            Message("assistant", interrupted.heard),
            Message("user", "stop"),
        ]


async def test_no_sound_of_an_interrupted_reply_is_played_after_the_cut() -> None:
    async with calling(STORY, texts=("story", "")) as call:
        await call.question()
        await call.reply_plays(0)
        await call.peer.speak(260)
        call.peer.pulled.clear()
        await call.peer.speak(1000)
        assert set(call.peer.pulled) == {None}


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


async def test_words_still_being_recognised_are_kept_when_the_caller_goes_on() -> None:
    async with calling("Fine.", texts=("one", "two")) as call:
        slow = asyncio.Event()
        recognize = call.asr.recognize

        async def late(audio: Any, request: Any) -> Any:
            async for chunk in recognize(audio, request):
                await slow.wait()
                yield chunk

        call.asr.recognize = late  # type: ignore[method-assign]
        await call.question()
        await call.peer.speak(400)
        slow.set()
        await call.peer.be_silent(520)
        await call.reply_plays(1)
        assert [request.messages for request in call.llm.requests] == [[Message("user", "one two")]]


async def test_speech_that_was_not_understood_is_said_so_and_short_noise_is_not() -> None:
    async with calling(texts=("", "")) as call:
        await call.question(ms=300)
        await call.peer.be_silent(500)
        assert call.peer.all(ReplyToken) == []
        await call.question(ms=900)
        await call.reply_ends(1)
        assert call.peer.last(ReplyFinished).text == lines("en").not_understood
        assert call.llm.requests == []


async def test_a_typed_message_interrupts_and_is_answered_aloud() -> None:
    async with calling(STORY, "Sure.", texts=("story",)) as call:
        await call.question()
        await call.reply_plays(0)
        await call.peer.be_silent(1000)
        await call.peer.command(TypedText("stop please"))
        await call.reply_ends(1)
        assert call.peer.all(TurnInterrupted)[0].turn == 0
        assert call.llm.requests[1].messages[-1] == Message("user", "stop please")


async def test_released_push_to_talk_does_not_wait_for_silence() -> None:
    async with calling("Yes.") as call:
        await call.peer.speak(400)
        await call.peer.command(EndTurn())
        await call.reply_plays(0)
        assert call.peer.last(TurnMetrics).silence_ms == 0


async def test_the_assistant_hangs_up_once_its_goodbye_was_heard() -> None:
    goodbye = ToolCall("hang_up")
    async with calling(goodbye, "Goodbye then.", texts=("bye",)) as call:
        await call.question()
        await call.reply_ends(0)
        assert await call.ended() == "assistant"
        assert call.peer.events[-1] == SessionEnded("assistant")


async def test_an_interrupted_goodbye_does_not_hang_up() -> None:
    async with calling(ToolCall("hang_up"), STORY, "Yes.", texts=("bye", "wait")) as call:
        await call.question()
        await call.reply_plays(0)
        await call.question()
        await call.reply_ends(1)
        assert not call.running.done()


async def test_a_silent_caller_is_asked_and_in_the_end_let_go() -> None:
    timing = {"idle_prompt_s": 5, "idle_prompts": 1, "idle_limit_s": 12}
    async with calling(call=timing) as call:
        await call.peer.be_silent(5100)
        await call.reply_ends(0)
        assert call.peer.last(ReplyFinished).text == lines("en").idle
        await call.peer.until(lambda: call.running.done())
        assert await call.ended() == "idle"
        assert call.peer.last(ReplyFinished).text == lines("en").idle_limit


async def test_the_longest_call_ends_with_a_goodbye() -> None:
    async with calling(STORY, call={"max_length_s": 3}) as call:
        await call.question()
        await call.peer.until(lambda: call.running.done())
        assert await call.ended() == "time_limit"
        assert call.peer.last(ReplyFinished).text == lines("en").time_limit


async def test_settings_change_from_the_next_phrase_on_and_wrong_ones_are_refused() -> None:
    async with calling("Yes.") as call:
        await call.peer.command(UpdateVoice(voice="nobody"))
        assert call.peer.last(Failure).code == "unknown_voice"
        await call.peer.command(UpdateVoice(voice="low", speed=1.5))
        assert call.peer.last(SessionUpdated) == SessionUpdated("en", "low", 1.5)
        await call.question()
        await call.reply_plays(0)
        assert (call.tts.requests[-1].voice, call.tts.requests[-1].speed) == ("low", 1.5)


async def test_a_lost_connection_a_hang_up_and_a_shutdown_end_the_call() -> None:
    async with calling(STORY) as call:
        await call.question()
        call.peer.hang_up()
        assert await call.ended() == "connection_lost"
    async with calling() as call:
        await call.peer.command(HangUp())
        assert await call.ended() == "caller"
    async with calling() as call:
        await call.peer.be_silent(20)
        call.session.end("shutdown")
        assert await call.ended() == "shutdown"
