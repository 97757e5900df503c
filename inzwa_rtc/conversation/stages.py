"""The stages of a turn: recognise, reply, speak; each with its own time limit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TypeVar

from inzwa_rtc.audio.resample import Resampler
from inzwa_rtc.conversation.utterance import Utterance
from inzwa_rtc.engines.contracts import (
    Recognizer,
    RecognizeRequest,
    SpeechChunk,
    SpeechRequest,
    TranscriptChunk,
)
from inzwa_rtc.errors import EngineError, EngineTimeout, PeerError
from inzwa_rtc.playout.playout import Speech
from inzwa_rtc.settings import TimeoutSettings
from inzwa_rtc.speech.reading import Reading

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A line synthesized ahead of need, so that it can be spoken without an engine."""

    text: str
    sample_rate: int
    chunks: tuple[SpeechChunk, ...]


async def recognise(
    utterance: Utterance,
    recognizer: Recognizer,
    request: RecognizeRequest,
    timeout_s: float,
    on_partial: Callable[[TranscriptChunk], None],
) -> TranscriptChunk:
    """The final transcript; times, those of partial ones too, count from the start of the call.

    The time limit runs from the end of the utterance. Raises `EngineError`.
    """
    loop = asyncio.get_running_loop()
    try:
        async with (
            asyncio.timeout(None) as limit,
            aclosing(recognizer.recognize(utterance.audio(), request)) as chunks,
        ):
            utterance.when_ended(lambda: limit.reschedule(loop.time() + timeout_s))
            async for chunk in chunks:
                timed = chunk.later(utterance.start_ms)
                if timed.is_final:
                    return timed
                on_partial(timed)
    except TimeoutError:
        raise EngineTimeout("The recogniser did not answer in time.") from None
    finally:
        utterance.when_ended(lambda: None)
    raise EngineError("The recogniser ended without a final transcript.")


async def speak_phrase(
    text: str,
    offset: int,
    request: SpeechRequest,
    reading: Reading,
    speech: Speech,
    timeouts: TimeoutSettings,
) -> None:
    """Read one phrase of the reply into the playout. Raises `EngineError`, also for a phrase
    that cannot be read: nobody else is to blame for what a model wrote."""
    speech.begin_phrase(text, offset)
    resampler = Resampler(reading.sample_rate, speech.rate)
    try:
        async with aclosing(reading.synthesize(replace(request, text=text))) as chunks:
            limit = timeouts.first_audio
            while chunk := await next_within(chunks, limit, "The speech engine"):
                await speech.write(resampler.feed(chunk.pcm), chunk.words)
                limit = timeouts.first_audio if reading.is_between_pieces else timeouts.next_audio
    except PeerError as error:
        raise EngineError(error.message, action=error.action, code=error.code) from None
    await speech.write(resampler.flush())
    speech.end_phrase()


async def speak_rendered(line: Rendered, offset: int, speech: Speech) -> None:
    """Speak a line that was synthesized before."""
    speech.begin_phrase(line.text, offset)
    resampler = Resampler(line.sample_rate, speech.rate)
    for chunk in line.chunks:
        await speech.write(resampler.feed(chunk.pcm), chunk.words)
    await speech.write(resampler.flush())
    speech.end_phrase()


async def render(
    text: str,
    language: str,
    reading: Reading,
    timeout_s: float,
    voice: str | None = None,
) -> Rendered:
    """Synthesize a line for later. Raises `EngineError`."""
    request = SpeechRequest(text, voice, language)
    chunks: list[SpeechChunk] = []
    async with aclosing(reading.synthesize(request)) as stream:
        while chunk := await next_within(stream, timeout_s, "The speech engine"):
            chunks.append(chunk)
    return Rendered(text, reading.sample_rate, tuple(chunks))


async def next_within(stream: AsyncGenerator[T, None], seconds: float, who: str) -> T | None:
    """The stream's next item, None at its end. Raises `EngineTimeout`, which ends the stream."""
    try:
        async with asyncio.timeout(seconds):
            return await anext(stream, None)
    except TimeoutError:
        raise EngineTimeout(
            f"{who} did not answer within {seconds:g} s.",
            action="Try again; the operator can look at /readyz and raise `timeouts`.",
        ) from None
