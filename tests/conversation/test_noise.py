"""The caller's audio passes their suppressor before anything is decided or recognised."""

from __future__ import annotations

from inzwa_rtc.events import SpeechStarted
from tests.support.peer import FRAME_SAMPLES, SILENCE, VOICE
from tests.support.session import calling

CLEAN = b"\x20\x20" * FRAME_SAMPLES


class Cleaning:
    """Turns the voice into another sound, and notes what it was fed."""

    def __init__(self, voice: bytes = CLEAN) -> None:
        self.fed: list[bytes] = []
        self._voice = voice

    def feed(self, pcm: bytes) -> bytes:
        self.fed.append(pcm)
        return self._voice if pcm == VOICE else pcm


async def test_what_is_recognised_has_passed_it_what_was_heard_before_the_start_too() -> None:
    suppressor = Cleaning()
    async with calling("Yes.", suppressor=suppressor) as call:
        await call.question(600)
        await call.reply_plays(0)
        (utterance,) = call.asr.fed
    assert utterance.count(CLEAN) == 30
    assert VOICE not in utterance
    assert suppressor.fed[:31] == [VOICE] * 30 + [SILENCE]


async def test_what_it_takes_away_is_no_speech() -> None:
    async with calling("Yes.", suppressor=Cleaning(SILENCE)) as call:
        await call.question(600)
        assert call.peer.all(SpeechStarted) == []


async def test_turns_start_and_end_at_the_same_frames_as_without() -> None:
    times = []
    for suppressor in (None, Cleaning()):
        async with calling("Yes.", suppressor=suppressor) as call:
            await call.question(600)
            await call.reply_plays(0)
            times.append([type(event) for event in call.peer.events])
            assert len(call.asr.fed[0]) == len(VOICE) * 30 + len(SILENCE) * 25
    assert times[0] == times[1]
