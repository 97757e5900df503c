"""Who listens to callers: one ear for all of them, and what its time is kept by."""

from __future__ import annotations

import asyncio
from typing import NoReturn

import numpy as np

from inzwa_rtc.engines.contracts import SharedVoiceDetector
from inzwa_rtc.noise.choice import NewSuppressor, no_suppressor
from inzwa_rtc.transport.pace import Pacer
from inzwa_rtc.turntaking import silero
from inzwa_rtc.turntaking.ear import Ear
from signaling.access.caller import Caller


class Listening:
    """One ear, and for each call a noise suppressor of its own."""

    def __init__(self, ear: Ear, new_suppressor: NewSuppressor = no_suppressor) -> None:
        self.ear = ear
        self._new_suppressor = new_suppressor

    def to(self, caller: Caller) -> SharedVoiceDetector:
        """For a new call of this caller's."""
        if caller.settings.voice_mode == "tts_only":
            return self.ear.unheard()
        return self.ear.of_call(self._new_suppressor())


async def listen(ear: Ear) -> NoReturn:
    """Have the ear listen every 20 ms, until cancelled."""
    loop = asyncio.get_running_loop()
    pacer = Pacer(loop.time())
    while True:
        _, wait = pacer.next_frame(loop.time())
        await asyncio.sleep(wait)
        ear.tick(loop.time())


def warm_network() -> silero.Silero:
    """The voice detector's network, which has heard a sound: what its libraries put off until
    they are first used is done. Blocks for some milliseconds. Raises `ConfigError`."""
    network = silero.load()
    row = network.begin()
    network.probabilities(np.ones((1, silero.WINDOW), np.int16), np.array([row]))
    network.end(row)
    return network
