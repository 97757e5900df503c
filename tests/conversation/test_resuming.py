"""A caller whose connection is lost, and who comes back over another one: it is one call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from inzwa_rtc.conversation.peer import EndTurn, HangUp, Played, StartTurn, TypedText
from inzwa_rtc.conversation.resumable import Patience, ResumablePeer
from inzwa_rtc.engines.contracts import Message
from inzwa_rtc.events import (
    Caption,
    Departure,
    PlaybackEnded,
    PlaybackStarted,
    ReplyFinished,
    ReplyUnheard,
    SessionEnded,
    SessionResumed,
    SessionStarted,
    Transcript,
    TurnInterrupted,
)
from tests.support.peer import MemoryPeer, settle
from tests.support.session import Call, calling

WORD = 10  # frames
LONG = Patience(60, 60)
COUNTING = "one two three four five six"


@asynccontextmanager
async def called(
    *replies: str, patience: Patience = LONG, texts: tuple[str, ...] = ("hello",), **groups: Any
) -> AsyncIterator[tuple[Call, ResumablePeer]]:
    """A call, and its caller whose connections a test exchanges."""
    caller = ResumablePeer(MemoryPeer.out_sample_rate, patience)
    async with calling(*replies, texts=texts, through=caller, **groups) as call:
        yield call, caller


async def lose(call: Call, caller: ResumablePeer) -> None:
    """The connection is gone, and the server has noticed."""
    attachment = caller.attached
    assert attachment is not None
    call.peer.hang_up()
    await attachment.over.wait()
    await settle()


def come_back(call: Call, caller: ResumablePeer, after: int = 0) -> MemoryPeer:
    """Over a new connection, which is the call's from now on."""
    call.peer = MemoryPeer()
    caller.attach(call.peer, after)
    return call.peer


async def ask(call: Call, text: str) -> None:
    await call.peer.command(TypedText(text))
    await settle()


def words(peer: MemoryPeer) -> list[int]:
    """Which words were played, by their level, each once."""
    levels = [int.from_bytes(pcm[:2], "little") - 1000 for pcm in peer.pulled if pcm]
    return sorted(set(levels))


async def test_the_conversation_goes_on_where_it_was() -> None:
    async with called("Hello Tendai.", "Tendai.", texts=("i am tendai", "who am i")) as (call, who):
        await call.question()
        await call.reply_ends(0)
        await lose(call, who)
        before = call.peer.numbers[-1]
        come_back(call, who, after=before)
        await call.question()
        await call.reply_ends(1)
        assert call.llm.requests[-1].messages == [
            Message("user", "i am tendai"),
            Message("assistant", "Hello Tendai."),
            Message("user", "who am i"),
        ]
        assert call.peer.events[0] == SessionResumed(
            "id",
            "token",
            16_000,
            "en",
            "tone",
            1.0,
            "conversation",
            is_complete=True,
            newest=before,
        )


async def test_the_time_of_the_call_goes_on_without_the_time_away() -> None:
    async with called("Yes.", "No.", texts=("one", "two")) as (call, who):
        await call.question()
        await call.reply_ends(0)
        before = call.peer.all(Transcript)[0]
        length = call.session.elapsed_s
        await lose(call, who)
        come_back(call, who)
        await call.question()
        await call.reply_ends(1)
        after = call.peer.all(Transcript)[-1]
        assert after.turn == 1
        assert after.start_ms > before.start_ms
        assert call.session.elapsed_s > length


async def test_what_was_missed_is_told_again_and_nothing_else() -> None:
    async with called("Fine, thanks.") as (call, who):
        await ask(call, "How are you?")
        old = call.peer
        assert old.numbers[:2] == [1, 2]  # of the start, and of what was typed
        await lose(call, who)
        await settle()
        new = come_back(call, who, after=2)
        await call.reply_ends(0)
        assert new.numbers == list(range(3, new.numbers[-1] + 1))
        assert not new.all(SessionStarted)
        assert not new.all(Transcript)
        assert new.all(ReplyFinished) == [ReplyFinished(0, "Fine, thanks.")]


async def test_an_answer_that_was_made_meanwhile_is_heard_on_return() -> None:
    async with called("Here it is.") as (call, who):
        await call.peer.speak(600)
        await lose(call, who)  # in the midst of it: what was said is the question
        assert call.peer.all(PlaybackStarted) == []
        peer = come_back(call, who)
        await call.reply_ends(0)
        assert words(peer) == [0, 1, 2]
        assert peer.all(Transcript)[-1].text == "hello"


async def test_a_reply_goes_on_with_the_first_word_that_nobody_heard() -> None:
    async with called(COUNTING, "Bye.") as (call, who):
        await ask(call, "Count.")
        await call.reply_plays(0)
        await call.peer.until(lambda: len(call.peer.all(Caption)) == 3)
        call.peer.fall_silent()
        await call.peer.be_silent(2 * WORD * 20)
        assert words(call.peer) == [0, 1, 2, 3, 4]
        await lose(call, who)
        peer = come_back(call, who, after=call.peer.numbers[-1])
        await call.reply_ends(0)
        assert words(peer) == [2, 3, 4, 5]
        assert [caption.text for caption in peer.all(Caption)] == ["four", "five", "six"]
        await ask(call, "Thanks.")
        await call.reply_ends(1)
        assert call.llm.requests[1].messages[1] == Message("assistant", COUNTING)


async def test_what_nobody_heard_of_a_reply_is_not_claimed_when_it_is_cut() -> None:
    async with called(COUNTING, "Fine.") as (call, who):
        await ask(call, "Count.")
        await call.reply_plays(0)
        await call.peer.until(lambda: len(call.peer.all(Caption)) == 3)
        call.peer.fall_silent()
        await call.peer.be_silent(2 * WORD * 20)
        await lose(call, who)
        peer = come_back(call, who)
        await ask(call, "Enough.")
        assert peer.last(TurnInterrupted) == TurnInterrupted(0, "one two")


async def test_a_reply_that_was_played_to_nobody_is_said_again() -> None:
    async with called(COUNTING, "Bye.") as (call, who):
        await ask(call, "Count.")
        await call.reply_plays(0)
        await call.peer.until(lambda: len(call.peer.all(Caption)) == 3)
        call.peer.fall_silent()
        await call.reply_ends(0)
        await lose(call, who)
        peer = come_back(call, who, after=call.peer.numbers[-1])
        assert peer.last(ReplyUnheard) == ReplyUnheard(0, "one two")
        await call.reply_ends(1)
        assert peer.last(ReplyFinished) == ReplyFinished(1, "three four five six")
        assert words(peer) == [0, 1, 2, 3]
        await ask(call, "Thanks.")
        await call.reply_ends(2)
        assert call.llm.requests[1].messages[1] == Message("assistant", COUNTING)


async def test_a_device_that_comes_back_reports_what_it_played_itself() -> None:
    """It counts from where the reply goes on."""
    async with called(COUNTING, "Fine.") as (call, who):
        await ask(call, "Count.")
        await call.reply_plays(0)
        await call.peer.until(lambda: len(call.peer.all(Caption)) == 3)
        await call.peer.command(Played(0, 2 * WORD * 320))
        call.peer.fall_silent()
        await lose(call, who)
        peer = come_back(call, who)
        await peer.until(lambda: Caption(0, "five", 19, 800) in peer.events)
        await peer.command(Played(0, WORD * 320 + 100))
        await ask(call, "Enough.")
        assert peer.last(TurnInterrupted) == TurnInterrupted(0, "one two three")


async def test_what_the_device_has_reported_is_not_said_again() -> None:
    """Whatever else was or was not heard from it since."""
    async with called(COUNTING) as (call, who):
        await ask(call, "Count.")
        call.peer.fall_silent()
        await call.reply_ends(0)
        await call.peer.command(Played(0, 5 * WORD * 320 + 100))
        await lose(call, who)
        peer = come_back(call, who)
        assert peer.last(ReplyUnheard) == ReplyUnheard(0, "one two three four five")
        await call.reply_ends(1)
        assert peer.last(ReplyFinished) == ReplyFinished(1, "six")


async def test_who_does_not_come_back_has_left() -> None:
    async with called(patience=Patience(0.02, 60)) as (call, who):
        await call.peer.told(SessionStarted)
        call.peer.hang_up()
        assert await call.ended() == "connection_lost"
        assert who.is_over


@pytest.mark.parametrize(("departure", "is_waited_for"), [("lost", True), ("closed", False)])
async def test_who_closes_the_connection_is_not_waited_for_as_long(
    departure: Departure, is_waited_for: bool
) -> None:
    async with called(patience=Patience(60, 0)) as (call, who):
        await call.peer.told(SessionStarted)
        call.peer.departure = departure
        await lose(call, who)
        assert who.is_over is not is_waited_for


async def test_who_was_refused_is_told_and_not_waited_for() -> None:
    async with called() as (call, _):
        await call.peer.told(SessionStarted)
        call.peer.departure = "refused"
        call.peer.hang_up()
        assert await call.ended() == "connection_lost"
        assert call.peer.events[-1] == SessionEnded("connection_lost")


async def test_a_second_client_takes_over_and_the_first_is_told() -> None:
    async with called("Yes.") as (call, who):
        await call.peer.told(SessionStarted)
        old, attachment = call.peer, who.attached
        assert attachment is not None
        new = come_back(call, who)
        assert old.events[-1] == SessionEnded("replaced")
        assert attachment.ending == "replaced"
        await old.command(HangUp())  # it is not theirs to end any more
        await ask(call, "Are you there?")
        await call.reply_ends(0)
        assert not call.running.done()
        assert PlaybackEnded(0) in new.events
        assert PlaybackEnded(0) not in old.events


async def test_a_microphone_that_was_open_by_hand_is_closed_with_the_connection() -> None:
    async with called("Yes.") as (call, who):
        await call.peer.command(StartTurn())
        await call.peer.speak(400)
        await lose(call, who)
        peer = come_back(call, who)
        await call.reply_ends(0)
        assert peer.all(Transcript)[-1].text == "hello"
        await peer.command(EndTurn())


async def test_nobody_is_asked_whether_they_are_there_while_they_are_away() -> None:
    async with called(call={"idle_prompt_s": 1.0}) as (call, who):
        await call.peer.be_silent(900)
        await lose(call, who)
        peer = come_back(call, who)
        await peer.be_silent(200)
        assert peer.all(PlaybackStarted) == []


async def test_events_of_a_call_of_long_ago_are_forgotten_and_that_is_told() -> None:
    async with called() as (call, who):
        await call.peer.told(SessionStarted)
        for number in range(300):
            who.send(ReplyFinished(number, "x"))
        peer = come_back(call, who, after=1)
        assert peer.all(SessionResumed)[0].is_complete is False
        assert peer.numbers == list(range(46, 302))
        again = come_back(call, who, after=100)
        assert again.all(SessionResumed)[0].is_complete is True


async def test_the_end_is_told_to_nobody_and_waits_for_nobody() -> None:
    async with called() as (call, who):
        await call.peer.told(SessionStarted)
        await lose(call, who)
        call.session.end("shutdown")
        async with asyncio.timeout(10):
            assert await call.ended() == "shutdown"
