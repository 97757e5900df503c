"""The server's ear listens by itself, to those who may be heard."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from inzwa_rtc.engines.contracts import Haste
from inzwa_rtc.settings import LoadSettings
from inzwa_rtc.turntaking import silero
from inzwa_rtc.turntaking.ear import Ear
from inzwa_rtc.users import UserSettings, VoiceMode
from signaling.access.caller import Caller
from signaling.admission import Admission
from signaling.media import Media, warm_network
from tests.support.listening import LoudNetwork
from tests.support.server import serving
from tests.support.ticking import ticking

LOUD = b"\x10\x10" * 320


class Talker:
    """A microphone that always has a frame."""

    def __init__(self) -> None:
        self.speech: list[float] = []
        self.heard = asyncio.Event()

    @property
    def haste(self) -> Haste:
        return Haste.EACH_FRAME

    def is_silent(self, now: float) -> bool:
        return False

    def take(self, most: int, now: float) -> list[bytes]:
        return [LOUD] * 2

    def give(self, pcm: bytes, speech: float) -> None:
        self.speech.append(speech)
        if len(self.speech) > 20:
            self.heard.set()

    def give_up(self, error: Exception) -> None:
        raise error


@pytest.mark.parametrize(("mode", "speech"), [("conversation", 0.9), ("tts_only", 0.0)])
async def test_the_clock_has_all_listened_to_who_do_not_merely_listen(
    mode: VoiceMode, speech: float
) -> None:
    async with ticking() as clock:
        media, talker = Media(clock, Ear(LoudNetwork()), Admission(LoadSettings())), Talker()
        caller = Caller(settings=UserSettings(voice_mode=mode))
        with media.listening_to(caller).listening(talker):
            async with asyncio.timeout(10):
                await talker.heard.wait()
            assert talker.speech[-1] == pytest.approx(speech)


def test_the_network_that_is_warm_has_room_for_calls_and_remembers_none() -> None:
    network = warm_network()
    assert network.windows == 1
    assert network.begin() == 0


async def test_a_server_that_cannot_hear_is_not_ready_until_it_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = LoudNetwork()
    monkeypatch.setattr(silero, "load", lambda: network)
    async with serving() as server, aiohttp.ClientSession() as http:
        network.failure = MemoryError()
        async with http.ws_connect(f"{server.url}/v1/ws") as ws, asyncio.timeout(10):
            await ws.send_json({"type": "start"})
            await ws.send_bytes(LOUD * 10)
            async for _ in ws:
                pass
        async with http.get(f"{server.url}/readyz") as response:
            told = await response.json()
            assert (response.status, told["status"]) == (503, "not ready")
            assert told["reason"] == "voice_detector_failed"
        network.failure = None
        async with http.get(f"{server.url}/readyz") as response:
            assert (response.status, (await response.json())["status"]) == (200, "ready")
