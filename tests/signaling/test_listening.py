"""The server's ear listens by itself, to those who may be heard."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from inzwa_rtc.turntaking.ear import Ear
from inzwa_rtc.users import UserSettings, VoiceMode
from signaling.access.caller import Caller
from signaling.listening import Listening, listen, warm_network
from tests.support.listening import LoudNetwork

LOUD = b"\x10\x10" * 320


class Talker:
    """A microphone that always has a frame."""

    def __init__(self) -> None:
        self.speech: list[float] = []
        self.heard = asyncio.Event()

    def take(self, most: int, now: float) -> list[bytes]:
        return [LOUD] * 2

    def give(self, pcm: bytes, speech: float) -> None:
        self.speech.append(speech)
        if len(self.speech) > 20:
            self.heard.set()

    def give_up(self, error: Exception) -> None:
        raise error


@pytest.mark.parametrize(("mode", "speech"), [("conversation", 0.9), ("tts_only", 0.0)])
async def test_it_listens_until_it_is_cancelled_to_all_who_do_not_merely_listen(
    mode: VoiceMode, speech: float
) -> None:
    ear, talker = Ear(LoudNetwork()), Talker()
    listening = Listening(ear)
    caller = Caller(settings=UserSettings(voice_mode=mode))
    task = asyncio.create_task(listen(ear))
    with listening.to(caller).listening(talker):
        async with asyncio.timeout(10):
            await talker.heard.wait()
        assert talker.speech[-1] == pytest.approx(speech)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()


def test_the_network_that_is_warm_has_room_for_calls_and_remembers_none() -> None:
    network = warm_network()
    assert network.windows == 1
    assert network.begin() == 0
