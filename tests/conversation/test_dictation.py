"""Dictation: what is said is written down, utterance by utterance, and nothing grows."""

from __future__ import annotations

import pytest

from inzwa_rtc.conversation import dictation
from inzwa_rtc.conversation.dictation import BufferFull, Wish, Written
from inzwa_rtc.events import Failure
from tests.support.dictating import Dictating, dictating, loud, silence
from tests.support.engines import ScriptedRecognizer
from tests.support.session import BROKEN, SteeredRecognizer

BLOCK_MS = 2000  # the largest message that a client may send


def texts(one: Dictating) -> list[str]:
    return [told.text for told in one.told if isinstance(told, Written)]


async def test_each_utterance_is_written_down_with_the_length_of_its_audio() -> None:
    async with dictating(ScriptedRecognizer("one", "two")) as one:
        one.say(600)
        one.say(1200)
        one.dictation.finish()
        assert await one.ended() == "caller"
    assert texts(one) == ["one", "two"]
    first, second = (told.duration_s for told in one.told if isinstance(told, Written))
    assert 0.6 <= first < 1.2 < second


async def test_all_audio_of_an_utterance_reaches_the_recogniser_and_no_other() -> None:
    recognizer = ScriptedRecognizer("one", "two")
    async with dictating(recognizer) as one:
        one.say(600, 3000)
        one.say(800, 3000)
        one.dictation.finish()
        await one.ended()
    spoken = [pcm.count(b"\x00\x10") * 2 // 32 for pcm in recognizer.fed]
    assert spoken == [600, 800]


async def test_what_is_said_last_needs_no_silence_behind_it() -> None:
    async with dictating(ScriptedRecognizer("the end")) as one:
        one.dictation.feed(loud(500))
        one.dictation.finish()
        await one.ended()
    assert texts(one) == ["the end"]


async def test_who_sends_no_more_audio_has_stopped_speaking(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dictation, "PAUSE_S", 0.02)
    async with dictating(ScriptedRecognizer("released")) as one:
        one.dictation.feed(loud(500))
        await one.until_told(1)
    assert texts(one) == ["released"]


async def test_a_stall_of_the_server_is_no_pause_of_the_speaker() -> None:
    recognizer = ScriptedRecognizer("all of it")
    async with dictating(recognizer) as one:
        one.dictation.feed(loud(100))
        for now in (0.0, 0.02, 0.04, 5.0, 10.0):
            for pcm in one.dictation.take(8, now):
                one.dictation.give(pcm, 0.9)
        one.dictation.feed(loud(500))
        one.dictation.finish()
        await one.ended()
    assert texts(one) == ["all of it"]


async def test_a_long_utterance_is_cut_at_a_pause_after_twelve_seconds() -> None:
    async with dictating(ScriptedRecognizer("first", "second")) as one:
        one.dictation.feed(loud(12_100) + silence(200) + loud(3000))
        one.dictation.finish()
        await one.ended()
    assert texts(one) == ["first", "second"]


async def test_without_words_nothing_is_told() -> None:
    async with dictating(ScriptedRecognizer("", "words")) as one:
        one.say()
        one.say()
        one.dictation.finish()
        await one.ended()
    assert texts(one) == ["words"]


async def test_two_minutes_may_wait_and_then_it_is_told_once() -> None:
    recognizer = SteeredRecognizer(*["words"] * 60)
    recognizer.ready.clear()
    async with dictating(recognizer) as one:
        for _ in range(60):
            one.dictation.feed(loud(BLOCK_MS - 600) + silence(600))
        assert one.told == []
        for _ in range(3):
            one.dictation.feed(loud(BLOCK_MS))
        assert one.told == [BufferFull(120.0)]
        assert one.dictation.dropped_s == 6.0
        recognizer.ready.set()
        one.dictation.finish()
        await one.ended()
    assert texts(one) == ["words"] * 60  # all that was taken is written down


async def test_audio_is_taken_again_once_half_of_what_waited_was_written() -> None:
    recognizer = SteeredRecognizer(*["words"] * 60)
    recognizer.ready.clear()
    async with dictating(recognizer, limits={"dictation_s": 10}) as one:
        for _ in range(6):
            one.dictation.feed(loud(BLOCK_MS - 600) + silence(600))
        assert one.told == [BufferFull(10.0)]
        recognizer.ready.set()
        await one.until_told(1 + 5)
        one.say()
        await one.until_told(1 + 6)
        assert one.dictation.waiting_s < 5


async def test_a_recogniser_that_fails_costs_one_utterance() -> None:
    async with dictating(SteeredRecognizer(BROKEN, "after it")) as one:
        one.say()
        one.say()
        one.dictation.finish()
        await one.ended()
    assert one.told[0] == Failure(BROKEN.code, BROKEN.message, BROKEN.action, 0)
    assert texts(one) == ["after it"]


async def test_partial_words_are_told_to_those_who_ask_for_them() -> None:
    recognizer = SteeredRecognizer("all of it", "and more")
    recognizer.partial = "all"
    async with dictating(recognizer) as one:
        one.say()
        await one.until_told(1)
        one.dictation.wish = Wish(partials=True)
        one.say()
        one.dictation.finish()
        await one.ended()
    told = [(told.text, told.is_final) for told in one.told if isinstance(told, Written)]
    assert told == [("all of it", True), ("all", False), ("and more", True)]


async def test_the_language_asked_for_is_recognised_else_the_server_s_own() -> None:
    recognizer = ScriptedRecognizer("mhoro", "hello")
    async with dictating(recognizer, asr_language="en") as one:
        one.dictation.wish = Wish("sn")
        one.say()
        await one.until_told(1)
        one.dictation.wish = Wish()
        one.say()
        await one.until_told(2)
    assert [request.language for request in recognizer.requests] == ["sn", "en"]


async def test_ended_by_the_server_what_was_said_is_written_down_first() -> None:
    async with dictating(ScriptedRecognizer("last words")) as one:
        one.dictation.feed(loud(500))
        one.dictation.end("shutdown")
        assert await one.ended() == "shutdown"
    assert texts(one) == ["last words"]


async def test_ended_by_the_server_it_is_told_that_something_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dictation, "LAST_WORDS_S", 0.05)
    recognizer = SteeredRecognizer("never")
    recognizer.ready.clear()
    async with dictating(recognizer) as one:
        one.say()
        one.dictation.end("shutdown")
        assert await one.ended() == "shutdown"
    assert [told.code for told in one.told if isinstance(told, Failure)] == ["cut_short"]


@pytest.mark.parametrize(
    ("limit", "reason"), [("idle_limit_s", "idle"), ("max_length_s", "time_limit")]
)
async def test_an_idle_or_overlong_one_ends(limit: str, reason: str) -> None:
    async with dictating(ScriptedRecognizer(), call={limit: 0.05}) as one:
        assert await one.ended() == reason


async def test_a_recording_is_listened_to_at_no_more_than_four_times_its_pace() -> None:
    async with dictating(ScriptedRecognizer()) as one:
        one.dictation.feed(loud(10_000))
        one.dictation.take(8, 0.0)
        frames = sum(len(one.dictation.take(8, tick * 0.02)) for tick in range(1, 51))
        assert 3.9 <= frames * 0.02 <= 4.0  # in a second
        assert len(one.dictation.take(8, 10.0)) == 8  # nothing is made up for


async def test_one_who_cannot_be_listened_to_is_not_waited_for() -> None:
    async with dictating(ScriptedRecognizer()) as one:
        one.dictation.feed(loud(100))
        one.dictation.give_up(RuntimeError("broken"))
        with pytest.raises(ExceptionGroup) as told:
            await one.ended()
    assert told.group_contains(RuntimeError, match="broken")
