"""A caller is listened to as closely as is of use, and their connection is told."""

from __future__ import annotations

from dataclasses import dataclass

from inzwa_rtc.conversation.attentiveness import Attentiveness
from inzwa_rtc.conversation.peer import EndTurn, StartTurn
from inzwa_rtc.conversation.resumable import Patience, ResumablePeer
from inzwa_rtc.engines.contracts import Haste
from inzwa_rtc.events import PlaybackStarted
from inzwa_rtc.settings import TurnSettings
from tests.support.peer import MemoryPeer, settle
from tests.support.session import STORY, Call, calling

LONG = Patience(60, 60)
TURN = TurnSettings()


@dataclass
class Known:
    """What is known of the ears, and of who speaks."""

    haste: Haste = Haste.IN_TIME
    is_hearing: bool = False
    is_deciding: bool = False
    is_answering: bool = False


def haste(call: Call) -> Haste:
    """What its connection was told last."""
    return call.peer.haste


def attention(known: Known) -> tuple[Attentiveness, list[Haste]]:
    told: list[Haste] = []
    return Attentiveness(known, known, told.append), told


def test_what_the_ears_want_is_told_once() -> None:
    known = Known()
    attending, told = attention(known)
    for known.haste in (Haste.IN_TIME, Haste.SOON, Haste.EACH_FRAME, Haste.IN_TIME):
        for _ in range(3):
            attending.review()
    assert told == [Haste.IN_TIME, Haste.SOON, Haste.EACH_FRAME, Haste.IN_TIME]


def test_who_may_interrupt_is_heard_as_soon_as_the_voice_detector_can() -> None:
    """And sooner only if the ears want it."""
    known = Known(is_answering=True)
    attending, told = attention(known)
    for known.haste in (Haste.IN_TIME, Haste.SOON, Haste.EACH_FRAME, Haste.IN_TIME):
        attending.review()
    known.is_answering = False
    attending.review()
    assert told == [
        Haste.EACH_SOUND,
        Haste.EACH_WINDOW,
        Haste.EACH_FRAME,
        Haste.EACH_SOUND,
        Haste.IN_TIME,
    ]


async def test_who_goes_on_speaking_into_an_answer_is_not_taken_for_quiet() -> None:
    known = Known(is_hearing=True, is_answering=True)
    attending, told = attention(known)
    attending.review()
    known.is_hearing = False
    attending.review()
    assert told == [Haste.EACH_WINDOW, Haste.EACH_SOUND]


def test_each_frame_is_wanted_that_may_hold_an_answer_or_cut_it() -> None:
    known = Known(haste=Haste.SOON, is_deciding=True)
    attending, told = attention(known)
    attending.review()
    known.is_answering = True
    attending.review()
    known.is_deciding = False
    attending.review()
    assert told == [Haste.SOON, Haste.EACH_FRAME, Haste.EACH_WINDOW]


async def test_nobody_is_in_haste_before_the_caller_speaks_or_after_the_answer() -> None:
    async with calling("Yes.") as call:
        await call.peer.be_silent(200)
        assert haste(call) is Haste.IN_TIME
        await call.question()
        await call.reply_ends(0)
        await call.peer.be_silent(100)
        assert haste(call) is Haste.IN_TIME


async def test_a_sound_is_heard_soon_and_each_frame_that_may_end_a_turn() -> None:
    async with calling("Yes.") as call:
        await call.peer.be_silent(200)
        await call.peer.speak(20)
        assert haste(call) is Haste.SOON
        await call.peer.speak(600)
        assert haste(call) is Haste.IN_TIME
        await call.peer.be_silent(TurnSettings().silence_ms - 20)
        assert haste(call) is Haste.EACH_FRAME


async def test_a_caller_is_heard_into_the_answer_and_the_wait_for_it() -> None:
    async with calling(STORY) as call:
        await call.question()
        while PlaybackStarted(0) not in call.peer.events:
            await call.peer.be_silent(20)
            assert haste(call) is Haste.EACH_SOUND
        await call.peer.be_silent(200)
        assert haste(call) is Haste.EACH_SOUND
        decided = {length - 20 for length in (TURN.maybe_ms, TURN.start_ms, TURN.interrupt_ms)}
        for said_ms in range(20, TURN.interrupt_ms, 20):
            await call.peer.speak(20)
            wanted = Haste.EACH_FRAME if said_ms in decided else Haste.EACH_WINDOW
            assert haste(call) is wanted


async def test_while_the_key_is_held_each_frame_is_wanted() -> None:
    async with calling("Yes.") as call:
        await call.peer.command(StartTurn())
        for said in (call.peer.be_silent, call.peer.speak, call.peer.be_silent):
            await said(400)
            assert haste(call) is Haste.EACH_FRAME
        await call.peer.command(EndTurn())
        await call.reply_ends(0)
        await call.peer.be_silent(100)
        assert haste(call) is Haste.IN_TIME


async def test_a_new_connection_is_told_how_closely_to_listen() -> None:
    caller = ResumablePeer(MemoryPeer.out_sample_rate, LONG)
    async with calling(STORY, through=caller) as call:
        await call.story_plays()
        assert haste(call) is Haste.EACH_SOUND
        attachment = caller.attached
        assert attachment is not None
        call.peer.hang_up()
        await attachment.over.wait()
        await settle()
        present = caller._haste
        call.peer = MemoryPeer()
        caller.attach(call.peer)
        assert haste(call) is present
        await call.peer.be_silent(200)
        assert haste(call) is Haste.EACH_SOUND


async def test_before_anybody_has_said_how_closely_each_frame_is_wanted() -> None:
    peer = MemoryPeer()
    ResumablePeer(MemoryPeer.out_sample_rate, LONG).attach(peer)
    assert peer.haste is Haste.EACH_FRAME
