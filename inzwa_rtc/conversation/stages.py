"""The stages of a turn: recognise, reply, speak; each with its own time limit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import TypeVar

from inzwa_rtc.audio.resample import Resampler
from inzwa_rtc.conversation.utterance import Utterance
from inzwa_rtc.engines.contracts import (
    Recognizer,
    RecognizeRequest,
    SpeechRequest,
    TranscriptChunk,
)
from inzwa_rtc.errors import EngineError, EngineTimeout, PeerError
from inzwa_rtc.observer import Stage
from inzwa_rtc.playout.speech import Speech
from inzwa_rtc.settings import TimeoutSettings
from inzwa_rtc.speech.cache.phrase import KeptPhrase
from inzwa_rtc.speech.kept_reading import KeptReading

T = TypeVar("T")


async def recognise(
    utterance: Utterance,
    recognizer: Recognizer,
    request: RecognizeRequest,
    timeout_s: float,
    on_partial: Callable[[TranscriptChunk], None],
    stage: Stage,
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
                stage.gave()
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
    reading: KeptReading,
    speech: Speech,
    timeouts: TimeoutSettings,
    stage: Stage,
) -> None:
    """Read one phrase of the reply into the playout. Raises `EngineError`, also for a phrase
    that cannot be read: nobody else is to blame for what a model wrote."""
    speech.begin_phrase(text, offset)
    resampler = Resampler(reading.sample_rate, speech.rate)
    try:
        async with aclosing(reading.phrase(replace(request, text=text))) as parts:
            limit = timeouts.first_audio
            while part := await next_within(parts, limit, "The speech engine"):
                stage.gave()
                with stage.aside():
                    if isinstance(part, KeptPhrase):
                        stage.kind = "kept"
                        await _write_kept(part, speech)
                    else:
                        await speech.write(resampler.feed(part.pcm), part.words)
                limit = timeouts.first_audio if reading.is_between_pieces else timeouts.next_audio
    except PeerError as error:
        raise EngineError(error.message, action=error.action, code=error.code) from None
    await speech.write(resampler.flush())
    speech.end_phrase()


async def speak_kept(text: str, phrase: KeptPhrase, offset: int, speech: Speech) -> None:
    """Speak what was synthesized before."""
    speech.begin_phrase(text, offset)
    await _write_kept(phrase, speech)
    speech.end_phrase()


async def _write_kept(phrase: KeptPhrase, speech: Speech) -> None:
    if speech.takes_packets:
        await speech.write_frames(phrase.encoded_frames(), phrase.words)
        return
    words = phrase.words
    for frames in phrase.decoded_frames(speech.rate):
        await speech.write_frames(frames, words)
        words = ()


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
