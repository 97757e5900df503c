"""The caller opens and closes the microphone by hand."""

from __future__ import annotations

from inzwa_rtc.conversation.peer import EndTurn, StartTurn
from inzwa_rtc.events import SpeechStarted, Transcript, TurnInterrupted, TurnMetrics
from tests.support.session import STORY, calling


async def test_released_push_to_talk_does_not_wait_for_silence() -> None:
    async with calling("Yes.") as call:
        await call.peer.speak(400)
        await call.peer.command(EndTurn())
        await call.reply_plays(0)
        assert call.peer.last(TurnMetrics).silence_ms == 0


async def test_a_pause_while_the_key_is_held_does_not_end_the_turn() -> None:
    async with calling("Yes.") as call:
        await call.peer.command(StartTurn())
        await call.peer.speak(400)
        await call.peer.be_silent(3000)
        await call.peer.speak(400)
        assert call.peer.all(Transcript) == []
        await call.peer.command(EndTurn())
        await call.reply_ends(0)
        assert len(call.asr.fed) == 1
        assert call.asr.fed[0].count(b"\x10\x10") == 800 * 16


async def test_the_pressed_key_interrupts_at_once() -> None:
    async with calling(STORY, "Yes.", texts=("story", "no")) as call:
        await call.story_plays()
        await call.peer.command(StartTurn())
        (cut,) = call.peer.all(TurnInterrupted)
        assert cut.turn == 0 and STORY.startswith(cut.heard)
        call.peer.pulled.clear()
        await call.peer.be_silent(400)
        await call.peer.speak(100)  # too short for open air
        await call.peer.be_silent(1000)
        assert set(call.peer.pulled) == {None}
        await call.peer.command(EndTurn())
        await call.reply_ends(1)


async def test_a_key_pressed_twice_and_released_without_a_word_changes_nothing() -> None:
    async with calling("Yes.") as call:
        for command in (StartTurn(), StartTurn(), EndTurn(), EndTurn()):
            await call.peer.command(command)
            await call.peer.be_silent(100)
        assert call.peer.all(SpeechStarted) == []
        await call.question()  # and from now on silence ends the turn again
        await call.reply_ends(0)
