"""What is measured, counted and said first when a caller comes back."""

from __future__ import annotations

from inzwa_rtc.conversation.clock import FORCED_END_S, CallClock, Due
from inzwa_rtc.conversation.peer import Played
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE, Message
from inzwa_rtc.events import (
    Caption,
    PlaybackStarted,
    ReplyFinished,
    SessionStarted,
    TurnInterrupted,
    TurnMetrics,
)
from inzwa_rtc.settings import CallSettings
from tests.conversation.test_resuming import COUNTING, WORD, ask, called, come_back, lose
from tests.support.peer import MemoryPeer


async def test_a_device_that_plays_at_another_rate_has_heard_what_it_says() -> None:
    """The call was begun at 16 kHz."""
    async with called(COUNTING, "Fine.") as (call, who):
        await ask(call, "Count.")
        await call.reply_plays(0)
        call.peer.fall_silent()
        await lose(call, who)
        call.peer = peer = MemoryPeer()
        peer.out_sample_rate = 24_000
        who.attach(peer)
        await peer.until(lambda: any(caption.text == "six" for caption in peer.all(Caption)))
        await peer.command(Played(0, 3 * WORD * 480 + 100))
        await ask(call, "Enough.")
        assert peer.last(TurnInterrupted).heard == "one two three"


async def test_a_reply_that_goes_on_has_no_second_response_time() -> None:
    async with called(COUNTING) as (call, who):
        await ask(call, "Count.")
        await call.reply_plays(0)
        assert len(call.peer.all(TurnMetrics)) == 1
        old, peer = call.peer, come_back(call, who, after=call.peer.numbers[-1])
        assert peer._playout is not None
        peer._playout.pull()  # before anything else is done about it
        assert peer.all(PlaybackStarted) == [PlaybackStarted(0)]
        old.hang_up()
        await call.reply_ends(0)
        assert peer.all(TurnMetrics) == []


async def test_the_time_away_is_no_response_time() -> None:
    async with called("Here it is.", "And more.") as (call, who):
        await ask(call, "Where is it?")
        await lose(call, who)
        peer = come_back(call, who)
        await call.reply_ends(0)
        assert peer.all(TurnMetrics) == []
        await ask(call, "And then?")
        await call.reply_ends(1)
        assert [told.turn for told in peer.all(TurnMetrics)] == [1]


async def test_nor_is_it_one_of_words_that_broke_off_with_the_connection() -> None:
    async with called("Here it is.") as (call, who):
        await call.peer.speak(600)
        await lose(call, who)
        peer = come_back(call, who)
        await call.reply_ends(0)
        assert peer.all(TurnMetrics) == []


async def test_the_callers_own_words_go_before_the_rest_of_an_old_reply() -> None:
    async with called(COUNTING, "It is noon.", texts=("what time is it",)) as (call, who):
        await ask(call, "Count.")
        await call.reply_plays(0)
        await call.peer.until(lambda: len(call.peer.all(Caption)) == 3)
        call.peer.fall_silent()
        await call.reply_ends(0)
        await call.peer.speak(300)  # it is not yet known whether these are words
        await lose(call, who)
        peer = come_back(call, who, after=call.peer.numbers[-1])
        await call.reply_ends(1)
        assert peer.last(ReplyFinished) == ReplyFinished(1, "It is noon.")
        assert call.llm.requests[-1].messages == [
            Message("user", "Count."),
            Message("assistant", "one two"),
            Message("user", "what time is it"),
        ]


async def test_who_was_dismissed_is_not_waited_for() -> None:
    async with called() as (call, who):
        await call.peer.told(SessionStarted)
        call.session.dismiss()
        await lose(call, who)
        assert await call.ended() == "disabled"


def test_who_comes_back_long_after_the_time_limit_is_told_goodbye() -> None:
    clock = CallClock(CallSettings(max_length_s=60))
    assert clock.tick(320, is_busy=False) is None
    clock.been_away(60.0 + FORCED_END_S)
    assert clock.tick(320, is_busy=False) is Due.TIME_LIMIT
    frames = FORCED_END_S * ASR_SAMPLE_RATE // 320
    ticks = [clock.tick(320, is_busy=True) for _ in range(frames)]
    assert ticks == [None] * (frames - 1) + [Due.FORCED_END]
