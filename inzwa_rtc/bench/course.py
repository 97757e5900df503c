"""What happens in a call, over and over: speak, listen to the answer, pause; or interrupt it."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field

from inzwa_rtc.audio.frame import FRAME_MS
from inzwa_rtc.bench.caller import Caller
from inzwa_rtc.bench.mouth import Spoken
from inzwa_rtc.bench.utterance import Utterance

QUIET_S = 0.4  # nothing audible for so long: the answer is over (its sentences are closer)
STOPPED_S = 0.3  # an answer that is silent for so long has stopped
STOPS_S = 1.8  # one that still sounds then was not interrupted at all
INTERRUPTS_S = (0.6, 1.0)  # how far into an answer the caller speaks


@dataclass(frozen=True, slots=True)
class Course:
    """`request` is said and answered; every so many answers (`interrupts_every`; 0: never) the
    caller speaks into one with `interruption`. `pauses_s` bounds the pause before each request."""

    request: Utterance
    interruption: Utterance
    interrupts_every: int = 4
    pauses_s: tuple[float, float] = (0.2, 0.6)
    patience_s: float = 15.0
    """What is not answered within so long is not answered."""


@dataclass(slots=True)
class Samples:
    """What was measured, in milliseconds, with the moment of each: only what lies within the
    time that is watched counts."""

    responses: list[tuple[float, float]] = field(default_factory=list)
    """From the last audible packet sent to the first audible one received."""
    stops: list[tuple[float, float]] = field(default_factory=list)
    """From the first audible packet of an interruption sent to the first silent one received."""
    cuts: list[tuple[float, float]] = field(default_factory=list)
    """From the same to the server's word that the turn is cancelled, where it says so."""
    waits_since: float | None = None
    """When the last audible packet left of a question that is not answered yet."""
    unanswered: list[float] = field(default_factory=list)
    early: list[float] = field(default_factory=list)
    """Answers that began before the caller had finished."""
    talked_on: list[float] = field(default_factory=list)
    """Interruptions that did not end the answer."""


async def talk(caller: Caller, course: Course, samples: Samples) -> None:
    """Until cancelled."""
    answers = 0
    # Calls that were placed together are not in step.
    await asyncio.sleep(random.uniform(0.0, course.request.length_s))
    while True:
        await caller.ear.silence(QUIET_S)
        await asyncio.sleep(random.uniform(*course.pauses_s))
        if not await _ask(caller, course, samples):
            continue
        answers += 1
        if course.interrupts_every and answers % course.interrupts_every == 0:
            await _interrupt(caller, course, samples)


async def _ask(caller: Caller, course: Course, samples: Samples) -> bool:
    """Say it into silence, and wait for the beginning of an answer; whether there was one."""
    spoken = caller.mouth.say(course.request)
    await spoken.sent()
    if caller.ear.last_audible_at >= spoken.first_at:
        samples.early.append(caller.ear.last_audible_at)
        return False
    return await _answered(caller, course, spoken, samples)


async def _answered(caller: Caller, course: Course, spoken: Spoken, samples: Samples) -> bool:
    samples.waits_since = spoken.last_at
    try:
        async with asyncio.timeout(course.patience_s):
            heard_at = await caller.ear.audible()
    except TimeoutError:
        samples.unanswered.append(time.monotonic())
        return False
    finally:
        samples.waits_since = None
    samples.responses.append((heard_at, (heard_at - spoken.last_at) * 1000))
    return True


async def _interrupt(caller: Caller, course: Course, samples: Samples) -> None:
    await asyncio.sleep(random.uniform(*INTERRUPTS_S))
    ear = caller.ear
    spoken = caller.mouth.say(course.interruption)
    await spoken.begun()
    try:
        async with asyncio.timeout(STOPS_S):
            await ear.silence(STOPPED_S)
    except TimeoutError:
        samples.talked_on.append(time.monotonic())
    else:
        if ear.last_audible_at >= spoken.first_at:  # else it fell into a pause of the answer
            # Where silence is not sent, it begins when the last packet has been played.
            silent_at = ear.fell_silent_at or ear.last_audible_at + FRAME_MS / 1000
            samples.stops.append((silent_at, (silent_at - spoken.first_at) * 1000))
    await spoken.sent()
    if caller.cut_at >= spoken.first_at:
        samples.cuts.append((caller.cut_at, (caller.cut_at - spoken.first_at) * 1000))
    if (
        spoken.last_at - ear.last_audible_at >= STOPPED_S
    ):  # else the same answer sounds, or the next
        await _answered(caller, course, spoken, samples)
