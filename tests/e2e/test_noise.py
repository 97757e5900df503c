"""Whole calls from a noisy place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from inzwa_rtc.settings import NoiseSuppression
from tests.support.asking import ask
from tests.support.caller import RATE, Caller, calling
from tests.support.server import serving_embedded
from tests.support.voice import Samples

SNR_DB = 15
BEFORE_S, AFTER_S = 1.5, 2.0


class InNoise:
    """A caller who speaks in steady noise (a `Speaker`)."""

    def __init__(self, caller: Caller) -> None:
        self.events = caller.events
        self._caller = caller

    async def say(self, samples: Samples) -> None:
        level = float(np.sqrt(np.mean(samples.astype(float) ** 2))) / 10 ** (SNR_DB / 20)
        around = np.pad(samples, (int(BEFORE_S * RATE), int(AFTER_S * RATE)))
        noise = np.random.default_rng(7).standard_normal(len(around)) * level
        await self._caller.say(np.clip(around + noise, -32768, 32767).astype(np.int16))

    async def told(
        self, kind: str, where: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        return await self._caller.told(kind, where)


@pytest.mark.parametrize("suppressor", ["webrtc", "rnnoise"])
async def test_a_question_out_of_noise_is_answered(suppressor: NoiseSuppression) -> None:
    settings = {"call": {"greeting": ""}, "noise_suppression": suppressor}
    async with serving_embedded(**settings) as server, calling(server.url) as caller:
        transcript = await ask(InNoise(caller), "how are you")
        answered = await caller.told("llm.final", lambda event: event["turn"] == transcript["turn"])
        assert "well" in answered["text"]
        heard = await caller.answer(transcript["turn"])
        assert np.sqrt(np.mean(heard.astype(float) ** 2)) > 300
