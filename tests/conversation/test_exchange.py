"""Other engines take over between turns; a turn ends with those that it began with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inzwa_rtc.conversation.peer import UpdateVoice
from inzwa_rtc.engines.contracts import Voice
from inzwa_rtc.events import Failure, SessionUpdated
from inzwa_rtc.settings import Settings
from tests.support.engines import ScriptedModel, ScriptedRecognizer, ToneSynthesizer
from tests.support.session import calling

END = "And that is all of it."
TALE = f"{'There was a small bird that could not sing at all. ' * 12}{END}"


class OtherVoices(ToneSynthesizer):
    """Has none of the voices of the other one."""

    voices = (Voice("alto", "Alto", "en"), Voice("bass", "Bass", "en"))


async def test_a_turn_ends_with_its_engines_and_the_next_begins_with_others() -> None:
    async with calling(TALE, "never asked", texts=("tell me a story", "heard by none")) as call:
        await call.story_plays()
        old = call.source.now
        asr, llm, tts = ScriptedRecognizer("and now"), ScriptedModel("Yes."), ToneSynthesizer()
        spoken = "".join(one.text for one in call.tts.requests)
        assert not spoken.endswith(END)
        call.source.now = replace(old, asr=asr, llm=llm, tts=tts)
        await call.reply_ends(0)
        assert "".join(one.text for one in call.tts.requests).endswith(END)
        assert not call.source.users[id(old)]
        await call.question()
        await call.reply_plays(1)
        assert [message.content for message in llm.requests[0].messages] == [
            "tell me a story",
            TALE,
            "and now",
        ]
        assert [one.text for one in tts.requests] == ["Yes."]
        assert len(call.llm.requests) == 1


async def test_a_caller_whose_voice_is_gone_gets_one_that_fits_and_is_told() -> None:
    async with calling("One.", "Two.", texts=("hello", "hello again")) as call:
        await call.question()
        await call.reply_plays(0)
        await call.peer.be_silent(2000)
        others = OtherVoices()
        call.source.now = replace(call.source.now, tts=others)
        await call.question()
        await call.reply_plays(1)
        assert SessionUpdated("en", "alto", 1.0) in call.peer.events
        assert [one.voice for one in others.requests] == ["alto"]


async def test_a_caller_whose_voice_is_still_there_keeps_it() -> None:
    async with calling("One.", "Two.", texts=("hello", "hello again")) as call:
        call.source.now = replace(call.source.now, tts=ToneSynthesizer())
        await call.question()
        await call.reply_plays(0)
        assert not any(isinstance(event, SessionUpdated) for event in call.peer.events)


@pytest.mark.parametrize(("asked", "spoken"), [(None, "low"), ("tone", "tone")])
async def test_another_usual_voice_reaches_a_live_caller_who_asked_for_none(
    asked: str | None, spoken: str
) -> None:
    async with calling("One.", "Two.", texts=("hello", "hello again")) as call:
        if asked is not None:
            await call.peer.command(UpdateVoice(voice=asked))
        await call.question()
        await call.reply_plays(0)
        assert {one.voice for one in call.tts.requests} == {None, "tone"}
        await call.peer.be_silent(2000)
        call.source.now = replace(call.source.now, settings=Settings(tts_voice="low"))
        await call.question()
        await call.reply_plays(1)
        assert call.tts.requests[-1].voice == spoken
        assert (SessionUpdated("en", "low", 1.0) in call.peer.events) is (asked is None)


async def test_what_belongs_to_a_language_model_is_exchanged_with_it() -> None:
    async with calling("One.", "Two.", texts=("hello", "hello again")) as call:
        await call.question()
        await call.reply_plays(0)
        await call.peer.be_silent(2000)
        settings = Settings(llm_max_tokens=99, llm_adapter="shona")
        call.source.now = replace(call.source.now, settings=settings)
        await call.question()
        await call.reply_plays(1)
        assert [(one.max_tokens, one.adapter) for one in call.llm.requests] == [
            (256, None),
            (99, "shona"),
        ]


async def test_a_voice_that_the_running_answer_cannot_have_comes_with_the_next() -> None:
    async with calling(TALE, "Two.", texts=("tell me a story", "hello again")) as call:
        await call.story_plays()
        others = OtherVoices()
        call.source.now = replace(call.source.now, tts=others)
        await call.peer.command(UpdateVoice(voice="bass"))
        assert SessionUpdated("en", "bass", 1.0) in call.peer.events
        await call.reply_ends(0)
        assert {one.voice for one in call.tts.requests[-3:]} == {"tone"}
        await call.question()
        await call.reply_plays(1)
        assert [one.voice for one in others.requests] == ["bass"]
        assert not call.peer.all(Failure)


async def test_a_caller_has_the_voice_again_that_was_gone_for_a_while() -> None:
    async with calling("One.", "Two.", texts=("hello", "hello again")) as call:
        await call.peer.command(UpdateVoice(voice="low"))
        first = call.source.now
        call.source.now = replace(first, tts=OtherVoices())
        await call.question()
        await call.reply_plays(0)
        await call.peer.command(UpdateVoice(speed=1.5))
        await call.peer.be_silent(2000)
        call.source.now = first
        await call.question()
        await call.reply_plays(1)
        told = [(one.voice, one.speed) for one in call.peer.all(SessionUpdated)]
        assert told == [("low", 1.0), ("alto", 1.0), ("alto", 1.5), ("low", 1.5)]
