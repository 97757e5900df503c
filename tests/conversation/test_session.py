"""A call's course, told by feeding frames: no clock, no network, no models."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace

from inzwa_rtc.audio.frame import Frame
from inzwa_rtc.conversation.peer import Command, HangUp, TypedText, UpdateVoice
from inzwa_rtc.conversation.spoken import lines
from inzwa_rtc.engines.contracts import (
    HeardWord,
    Message,
    RecognizeRequest,
    ToolCall,
    TranscriptChunk,
)
from inzwa_rtc.events import (
    Failure,
    PlaybackStarted,
    ReplyFinished,
    ReplyToken,
    SessionEnded,
    SessionStarted,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    Transcript,
    TranscriptWord,
    TurnMetrics,
)
from inzwa_rtc.settings import TurnSettings
from tests.support.engines import ScriptedRecognizer
from tests.support.peer import VOICE
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
        assert call.peer.last(ReplyFinished).text == "It is noon."
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


async def test_what_goes_on_behind_the_cut_of_an_overlong_utterance_is_recognised_once() -> None:
    turn = TurnSettings(max_utterance_ms=1000)
    async with calling("Yes.", "Yes.", texts=("one", "two"), turn=turn) as call:
        await call.peer.be_silent(1000)
        await call.question(ms=2400)
        await call.reply_plays(1)
        voice = [pcm.count(VOICE) for pcm in call.asr.fed]
        assert voice == [1500 // 20, 900 // 20]


async def test_a_caller_is_told_that_an_utterance_was_cut() -> None:
    turn = TurnSettings(max_utterance_ms=1000)
    async with calling("Yes.", "Yes.", texts=("one", "two"), turn=turn) as call:
        await call.question(ms=1800)
        await call.reply_plays(1)
        told = [(final.text, final.is_cut) for final in call.peer.all(Transcript)]
        assert told == [("one", True), ("two", False)]


async def test_the_words_of_a_transcript_are_told_with_their_times_in_the_call() -> None:
    class Timed(ScriptedRecognizer):
        async def recognize(
            self, audio: AsyncIterator[bytes], request: RecognizeRequest
        ) -> AsyncGenerator[TranscriptChunk, None]:
            async for chunk in super().recognize(audio, request):
                yield replace(chunk, words=(HeardWord("hello", 300, 600, 0.9),))

    async with calling("Yes.", asr=Timed("hello")) as call:
        await call.peer.be_silent(1000)
        await call.question(ms=600)
        await call.reply_plays(0)
        final = call.peer.last(Transcript)
        assert final.words == (TranscriptWord("hello", 1000, 1300, 0.9),)


async def test_the_recogniser_is_asked_for_what_the_settings_of_its_engines_say() -> None:
    async with calling("Yes.", "Yes.", texts=("one", "two"), asr_language="sn") as call:
        await call.question()
        await call.reply_ends(0)
        settings = call.source.now.settings.model_copy(update={"asr_task": "translate"})
        call.source.now = replace(call.source.now, settings=settings)
        await call.question()
        await call.reply_ends(1)
        assert call.asr.requests == [RecognizeRequest("sn"), RecognizeRequest("sn", translate=True)]


async def test_a_typed_message_is_told_with_its_turn_as_it_was_taken() -> None:
    async with calling("Yes.") as call:
        await call.peer.be_silent(200)
        await call.peer.command(TypedText("hello there"))
        assert call.peer.events[1] == Transcript(0, "hello there", 200, 200, True, 1.0, "en")
        await call.reply_ends(0)
        assert len(call.peer.all(Transcript)) == 1


async def test_the_call_begins_with_a_greeting_that_the_model_knows_of() -> None:
    async with calling("Fine.", greeting=None) as call:
        await call.reply_ends(0)
        await call.question()
        await call.reply_plays(1)
        assert call.llm.requests[0].messages[0] == Message("assistant", lines("en").greeting)


async def test_the_assistant_hangs_up_once_its_goodbye_was_heard() -> None:
    goodbye = ToolCall("hang_up")
    async with calling(goodbye, "Goodbye then.", texts=("bye",)) as call:
        await call.question()
        await call.reply_ends(0)
        assert await call.ended() == "assistant"
        assert call.peer.events[-1] == SessionEnded("assistant")


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
        await call.peer.command(UpdateVoice(language="xx"))
        assert call.peer.last(Failure).code == "unknown_language"
        await call.peer.command(UpdateVoice(voice="low", speed=1.5))
        assert call.peer.last(SessionUpdated) == SessionUpdated("en", "low", 1.5)
        await call.question()
        await call.reply_plays(0)
        assert (call.tts.requests[-1].voice, call.tts.requests[-1].speed) == ("low", 1.5)


async def test_a_caller_who_hangs_up_leaves_no_stream_open() -> None:
    last_events = []
    async with calling() as call:
        receive = call.peer.receive

        async def watched() -> AsyncGenerator[Frame | Command, None]:
            try:
                async for item in receive():
                    yield item
            finally:
                last_events.append(type(call.peer.events[-1]))

        stream = watched()  # kept here, so that it is not closed by being collected
        call.peer.receive = lambda: stream  # type: ignore[method-assign]
        await call.peer.command(HangUp())
        assert await call.ended() == "caller"
    assert last_events == [SessionStarted]  # closed before the call was over


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
