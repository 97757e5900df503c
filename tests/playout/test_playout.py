"""Held speech pauses, cut speech is never played again, and the ledger follows both."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from inzwa_rtc.engines.contracts import WordTime
from inzwa_rtc.events import (
    Caption,
    PlaybackEnded,
    PlaybackHeld,
    PlaybackReleased,
    PlaybackStarted,
)
from inzwa_rtc.playout.speech import LEAD_MS
from tests.support.playing import FRAME, marked, playout, pulled, say_frames, say_samples

Say = Callable[..., Awaitable[None]]


@pytest.fixture(params=[say_samples, say_frames], ids=["samples", "frames"])
def say(request: pytest.FixtureRequest) -> Say:
    """The two ways of writing a phrase, between which nothing may differ."""
    way: Say = request.param
    return way


async def test_caller_hears_silence_within_one_frame_of_a_hold(say: Say) -> None:
    out, events = playout()
    speech = out.speech(1)
    await say(speech, "hello", 5)
    assert out.pull() is not None
    out.hold()
    assert out.pull() is None
    out.release()
    assert pulled(out) == marked(1, 1)
    assert [type(event) for event in events] == [
        PlaybackStarted,
        Caption,
        PlaybackHeld,
        PlaybackReleased,
    ]


async def test_what_is_made_while_the_playout_is_held_waits_for_its_release(say: Say) -> None:
    out, events = playout()
    out.hold()
    speech = out.speech(1)
    await say(speech, "hello", 1)
    speech.finish()
    assert out.pull() is None
    assert events == []
    out.release()
    assert pulled(out) == marked(1, 1)
    out.pull()
    assert [type(event) for event in events] == [PlaybackStarted, Caption, PlaybackEnded]


async def test_held_behind_its_last_frame_a_speech_ends_when_it_is_released(say: Say) -> None:
    out, events = playout()
    speech = out.speech(1)
    await say(speech, "hello", 1)
    speech.finish()
    out.pull()
    out.hold()
    out.pull()
    assert not speech.is_over
    out.release()
    out.pull()
    assert speech.is_over
    assert events[-3:] == [PlaybackHeld(1), PlaybackReleased(1), PlaybackEnded(1)]


async def test_a_phrase_that_breaks_off_is_heard_as_far_as_it_was_spoken(say: Say) -> None:
    out, _ = playout()
    speech = out.speech(1)
    speech.begin_phrase("Once upon a time.", 0)
    times = (WordTime(0, 4, 0), WordTime(5, 4, 100), WordTime(10, 1, 400))
    await speech.write(marked(1, 10), times)  # 200 ms: the third word is only announced
    speech.abandon_phrase()
    await say(speech, "I am sorry.", 5)
    speech.finish()
    while not speech.is_over:
        out.pull()
    assert speech.heard() == "Once I am sorry."


async def test_an_estimated_word_is_told_as_such() -> None:
    out, events = playout()
    speech = out.speech(1)
    speech.begin_phrase("Once upon", 0)
    await speech.write(marked(1, 2), (WordTime(0, 4, 0, is_estimated=True), WordTime(5, 4, 20)))
    pulled(out)
    pulled(out)
    captions = [event for event in events if isinstance(event, Caption)]
    assert captions == [Caption(1, "Once", 0, 0, True), Caption(1, "upon", 5, 20, False)]


async def test_nothing_of_a_cut_turn_is_played_even_if_more_is_written(say: Say) -> None:
    out, _ = playout()
    speech = out.speech(1)
    await say(speech, "hello", 5)
    out.pull()
    speech.cut()
    await say(speech, "more", 5)
    speech.finish()
    assert out.pull() is None
    async with asyncio.timeout(1):
        await speech.played_out()


async def test_a_new_turn_cuts_the_one_before(say: Say) -> None:
    out, _ = playout()
    first = out.speech(1)
    await say(first, "hello", 5)
    second = out.speech(2)
    await say(second, "there", 1)
    assert pulled(out) == marked(2, 1)
    assert first.is_over


async def test_writing_waits_while_the_lead_is_full(say: Say) -> None:
    out, _ = playout()
    speech = out.speech(1)
    await say(speech, "long", LEAD_MS // 20)
    writing = asyncio.create_task(speech.write(marked(1, 1)))
    await asyncio.sleep(0)
    assert not writing.done()
    out.pull()
    await writing


async def test_the_last_part_of_a_frame_is_padded_with_silence() -> None:
    out, events = playout()
    speech = out.speech(1)
    speech.begin_phrase("hi", 0)
    await speech.write(marked(1, 1)[:100])
    speech.end_phrase()
    assert out.pull() is None  # more may come
    speech.finish()
    assert pulled(out) == marked(1, 1)[:100] + bytes(FRAME - 100)
    assert not speech.is_over  # its last frame is only leaving now
    assert out.pull() is None
    assert isinstance(events[-1], PlaybackEnded)
    assert speech.heard() == "hi"


async def test_audio_under_way_to_the_caller_is_not_heard_yet(say: Say) -> None:
    out, _ = playout()
    out.transit_ms = 60
    speech = out.speech(1)
    await say(speech, "one two", 10, (WordTime(0, 3, 0), WordTime(4, 3, 100)))
    for _ in range(5 + 2):
        out.pull()
    assert speech.heard() == ""
    out.pull()
    assert speech.heard() == "one"


async def test_frames_on_their_way_are_heard_while_the_speech_is_held(say: Say) -> None:
    out, _ = playout()
    out.transit_ms = 60
    speech = out.speech(1)
    await say(speech, "one two", 10, (WordTime(0, 3, 0), WordTime(4, 3, 100)))
    for _ in range(5):
        out.pull()
    out.hold()
    for _ in range(3):
        assert out.pull() is None
    speech.cut()
    assert speech.heard() == "one"


async def test_of_a_phrase_that_fails_half_way_only_the_audio_that_there_is_counts() -> None:
    """What follows it is heard when it sounds, not as much later as was never written."""
    out, events = playout()
    speech = out.speech(1)
    speech.begin_phrase("lost for ever", 0)
    words = (WordTime(0, 4, 0), WordTime(5, 3, 500))
    writing = asyncio.create_task(speech.write(marked(1, 50) + bytes(100), words))
    await asyncio.sleep(0)  # it writes, and lets others run
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    speech.abandon_phrase()
    await say_samples(speech, "sorry", 1)
    speech.finish()
    sound = [frame for _ in range(60) if (frame := pulled(out))]
    assert 1 < len(sound) < 50
    assert set(sound) == {marked(1, 1)}
    captions = [(one.text, one.start_ms) for one in events if isinstance(one, Caption)]
    assert captions == [("lost", 0), ("sorry", 20 * (len(sound) - 1))]


async def test_what_the_device_reports_counts_and_never_more_than_was_sent(say: Say) -> None:
    out, _ = playout()
    speech = out.speech(3)
    await say(speech, "one two", 10, (WordTime(0, 3, 0), WordTime(4, 3, 100)))
    for _ in range(8):
        out.pull()
    out.report_played(2, 10**9)  # an older turn
    out.report_played(3, 0)
    assert speech.heard() == ""
    out.report_played(3, 10**9)
    assert speech.heard() == "one"


@pytest.mark.parametrize("finish_first", [True, False])
async def test_a_turn_without_any_audio_is_over_when_finished_or_cut(finish_first: bool) -> None:
    out, events = playout()
    speech = out.speech(1)
    speech.finish() if finish_first else speech.cut()
    async with asyncio.timeout(1):
        await speech.played_out()
    assert events == []
