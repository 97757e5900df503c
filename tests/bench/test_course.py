"""What counts as an answer, and as one that came too early."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from inzwa_rtc.bench.caller import Caller
from inzwa_rtc.bench.course import Course, Samples, talk
from inzwa_rtc.bench.ear import Ear
from inzwa_rtc.bench.mouth import Spoken
from inzwa_rtc.bench.utterance import Utterance, silence

NOW = 1000.0
SAYING = Utterance((silence(),), 0, 0)


class Quiet(Ear):
    """Hears nothing of itself; silence has lasted long enough."""

    async def silence(self, length_s: float) -> None:
        await asyncio.sleep(0)


class Said:
    """A caller who says everything within a second, during which the server may be heard."""

    def __init__(self, heard_at: float | None) -> None:
        self.ear = Quiet()
        self.mouth = self
        self.cut_at = 0.0
        self.asked = asyncio.Event()
        self._heard_at = heard_at

    def say(self, what: Utterance) -> Spoken:
        spoken = Spoken()
        spoken.begin(NOW)
        if self._heard_at is not None:
            self.ear.last_audible_at = self._heard_at
        spoken.finish(NOW + 1.0)
        self.asked.set()
        return spoken


async def talked(said: Said) -> Samples:
    samples = Samples()
    course = Course(SAYING, SAYING, interrupts_every=0, pauses_s=(0.0, 0.0))
    talking = asyncio.create_task(talk(cast(Caller, said), course, samples))
    async with asyncio.timeout(30):
        await said.asked.wait()
    for _ in range(3):
        await asyncio.sleep(0)
    waits = samples.waits_since
    talking.cancel()
    await asyncio.gather(talking, return_exceptions=True)
    samples.waits_since = waits
    return samples


@pytest.mark.parametrize("heard_at", [NOW, NOW + 0.2, NOW + 0.95])
async def test_an_answer_into_the_question_is_early_and_no_response(heard_at: float) -> None:
    samples = await talked(Said(heard_at))
    assert samples.early
    assert set(samples.early) == {heard_at}
    assert (samples.responses, samples.waits_since) == ([], None)


@pytest.mark.parametrize("heard_at", [None, NOW - 0.5])
async def test_a_question_into_silence_waits_for_its_answer(heard_at: float | None) -> None:
    samples = await talked(Said(heard_at))
    assert samples.early == []
    assert samples.waits_since == NOW + 1.0
