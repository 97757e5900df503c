"""The caller speaks while the assistant does: who gives way, and when."""

from __future__ import annotations

import pytest

from inzwa_rtc.conversation.peer import TypedText
from inzwa_rtc.conversation.spoken import lines
from inzwa_rtc.engines.contracts import Message, ToolCall
from inzwa_rtc.events import (
    Event,
    PlaybackEnded,
    PlaybackHeld,
    PlaybackReleased,
    PlaybackStarted,
    ReplyFinished,
    Transcript,
    TurnInterrupted,
)
from tests.support.session import BROKEN, STORY, Call, SteeredRecognizer, calling


def about_playback(call: Call) -> list[type[Event]]:
    kinds = (PlaybackStarted, PlaybackHeld, PlaybackReleased, TurnInterrupted, PlaybackEnded)
    return [type(event) for event in call.peer.events if isinstance(event, kinds)]


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


async def test_a_murmur_without_words_pauses_the_answer_and_lets_it_go_on() -> None:
    async with calling(STORY, texts=("story", "")) as call:
        await call.story_plays()
        call.peer.pulled.clear()
        await call.peer.speak(300)
        await call.peer.be_silent(480)
        assert set(call.peer.pulled[2:]) == {None}  # it is not talked over before it is decided
        await call.peer.be_silent(40)
        assert about_playback(call) == [PlaybackStarted, PlaybackHeld, PlaybackReleased]
        await call.reply_ends(0)
        assert call.peer.all(TurnInterrupted) == []
        assert [event.text for event in call.peer.all(Transcript)] == ["story", ""]


@pytest.mark.parametrize("murmur", ["Mm-hm.", "uh huh", "yeah", "Ehe"])
async def test_a_listener_who_says_go_on_is_taken_at_their_word(murmur: str) -> None:
    async with calling(STORY, "What else?", texts=("story", murmur, murmur)) as call:
        await call.story_plays()
        await call.question(ms=300)
        await call.reply_ends(0)
        assert about_playback(call)[-1] is PlaybackEnded
        assert len(call.llm.requests) == 1
        await call.question(ms=300)  # nothing is being said now: it is an answer
        await call.reply_ends(2)
        assert call.llm.requests[1].messages[-1] == Message("user", murmur)


async def test_a_yeah_into_the_last_words_answers_the_question_in_them() -> None:
    async with calling("Shall I go on?", "So be it.", texts=("story", "yeah")) as call:
        await call.story_plays(ms=600)
        await call.question(ms=300)
        await call.reply_ends(1)
        assert call.llm.requests[1].messages[-1] == Message("user", "yeah")


async def test_a_short_word_that_is_understood_cuts_the_answer() -> None:
    async with calling(STORY, "I will.", texts=("story", "stop")) as call:
        await call.story_plays()
        await call.question(ms=300)
        assert about_playback(call)[:3] == [PlaybackStarted, PlaybackHeld, TurnInterrupted]
        await call.reply_ends(1)
        assert call.peer.all(PlaybackReleased) == []


async def test_words_recognised_while_the_caller_speaks_cut_the_answer_early() -> None:
    asr = SteeredRecognizer("stop it please", "")
    async with calling(STORY, asr=asr) as call:
        await call.story_plays()
        asr.partial = "stop"
        await call.peer.speak(220)
        (cut,) = call.peer.all(TurnInterrupted)
        assert STORY.startswith(cut.heard)


@pytest.mark.parametrize(("partial", "confidence"), [("do", 0.06), ("yeah", 1.0)])
async def test_a_guess_and_a_murmur_recognised_early_cut_nothing(
    partial: str, confidence: float
) -> None:
    asr = SteeredRecognizer("story", "")
    async with calling(STORY, asr=asr) as call:
        await call.story_plays()
        asr.partial, asr.confidence = partial, confidence
        await call.question(ms=300)
        await call.reply_ends(0)
        assert call.peer.all(TurnInterrupted) == []


async def test_history_after_an_interruption_ends_at_the_last_word_heard() -> None:
    async with calling(STORY, "I will stop.", texts=("tell me a story", "stop")) as call:
        await call.story_plays()
        await call.peer.speak(480)
        assert call.peer.all(TurnInterrupted) == []
        await call.peer.speak(20)
        (interrupted,) = call.peer.all(TurnInterrupted)
        assert STORY.startswith(interrupted.heard)
        assert 4 <= len(interrupted.heard.split()) <= 6
        assert call.llm.closed == 1
        await call.peer.speak(100)
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
        await call.peer.speak(80)
        call.peer.pulled.clear()
        await call.peer.speak(1200)
        assert set(call.peer.pulled) == {None}


async def test_a_sound_right_behind_the_last_word_is_let_go_before_the_end_is_told() -> None:
    """What the caller's device has buffered is not heard yet, so it is paused too."""
    async with calling("Yes.", texts=("story", "")) as call:
        await call.question()
        await call.reply_plays(0)
        await call.peer.be_silent(120)
        await call.peer.speak(60)  # the reply's 200 ms have just been pulled
        assert about_playback(call) == [PlaybackStarted, PlaybackHeld]
        await call.peer.be_silent(300)
        assert about_playback(call)[1:] == [PlaybackHeld, PlaybackReleased, PlaybackEnded]


async def test_a_recogniser_that_fails_on_a_short_word_is_no_reason_to_talk_on() -> None:
    async with calling(STORY, asr=SteeredRecognizer("story", BROKEN)) as call:
        await call.story_plays()
        await call.question(ms=300)
        assert [event.turn for event in call.peer.all(TurnInterrupted)] == [0]
        await call.reply_ends(1)
        assert call.peer.last(ReplyFinished).text == lines("en").fault


async def test_a_typed_message_interrupts_and_is_answered_aloud() -> None:
    async with calling(STORY, "Sure.", texts=("story",)) as call:
        await call.story_plays()
        await call.peer.command(TypedText("stop please"))
        await call.reply_ends(1)
        assert call.peer.all(TurnInterrupted)[0].turn == 0
        assert call.llm.requests[1].messages[-1] == Message("user", "stop please")


async def test_an_interrupted_goodbye_does_not_hang_up() -> None:
    async with calling(ToolCall("hang_up"), STORY, "Yes.", texts=("bye", "wait")) as call:
        await call.question()
        await call.reply_plays(0)
        await call.question()
        await call.reply_ends(1)
        assert not call.running.done()
