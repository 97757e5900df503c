"""Each model in a process of its own, as a call uses it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import numpy as np

from benchmarks.acceptance.accuracy import Accuracy, accuracy
from benchmarks.acceptance.folder import Candidate, Recording
from inzwa_rtc.engines.client import LanguageModelClient, RecognizerClient
from inzwa_rtc.engines.contracts import (
    ASR_SAMPLE_RATE,
    Message,
    RecognizeRequest,
    ReplyRequest,
    TokenChunk,
)
from inzwa_rtc.engines.process import EngineProcess
from inzwa_rtc.engines.supervised import supervised

START_S = 600.0  # a large model from a slow disk
REPLY_TOKENS = 128
_PIECE_MS = 20
_PIECE_BYTES = 2 * ASR_SAMPLE_RATE * _PIECE_MS // 1000


@dataclass(frozen=True, slots=True)
class Spread:
    """In milliseconds."""

    median: float
    p95: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread:
        """The spread of these times."""
        ms = 1000 * np.asarray(seconds)
        return cls(float(np.median(ms)), float(np.percentile(ms, 95)))


@dataclass(frozen=True, slots=True)
class Heard:
    """What a recogniser made of all recordings. `latency` is from the end of a recording, fed
    as fast as it was spoken, to its final transcript."""

    name: str
    seconds: float
    accuracy: Accuracy
    latency: Spread
    texts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Replied:
    """How quick the answers to all questions were."""

    name: str
    first_token: Spread
    tokens_per_s: float
    texts: dict[str, str]


async def try_out(candidate: Candidate) -> Heard | Replied:
    """Raises `EngineError`, as a call would have it."""
    process = EngineProcess(candidate.launch, start_timeout_s=START_S)
    async with supervised([process]):
        if candidate.kind == "asr":
            return await _hear(candidate, RecognizerClient(process))
        return await _reply(candidate, LanguageModelClient(process))


async def _hear(candidate: Candidate, recognizer: RecognizerClient) -> Heard:
    request = RecognizeRequest(candidate.language or None)
    await _heard(recognizer, candidate.recordings[0], request)  # what is done once is done now
    texts, delays = {}, []
    for recording in candidate.recordings:
        texts[recording.name], delay_s = await _heard(recognizer, recording, request)
        delays.append(delay_s)
    return Heard(
        candidate.name,
        sum(recording.seconds for recording in candidate.recordings),
        accuracy([recording.text for recording in candidate.recordings], list(texts.values())),
        Spread.of(delays),
        texts,
    )


async def _heard(
    recognizer: RecognizerClient, recording: Recording, request: RecognizeRequest
) -> tuple[str, float]:
    """The text, and how long after the recording's end it came."""
    loop = asyncio.get_running_loop()
    ended = 0.0

    async def spoken() -> AsyncIterator[bytes]:
        nonlocal ended
        began = loop.time()
        for number, start in enumerate(range(0, len(recording.pcm), _PIECE_BYTES), start=1):
            await asyncio.sleep(began + number * _PIECE_MS / 1000 - loop.time())
            yield recording.pcm[start : start + _PIECE_BYTES]
        ended = loop.time()

    text = ""
    async with aclosing(recognizer.recognize(spoken(), request)) as chunks:
        async for chunk in chunks:
            if chunk.is_final:
                text = chunk.text
    return text, loop.time() - ended


async def _reply(candidate: Candidate, model: LanguageModelClient) -> Replied:
    await _replied(candidate, model, "hello")  # what is done once is done now
    texts, waits, rates = {}, [], []
    for question in candidate.questions:
        texts[question], wait_s, rate = await _replied(candidate, model, question)
        waits.append(wait_s)
        if rate is not None:
            rates.append(rate)
    return Replied(
        candidate.name, Spread.of(waits), float(np.median(rates)) if rates else 0.0, texts
    )


async def _replied(
    candidate: Candidate, model: LanguageModelClient, question: str
) -> tuple[str, float, float | None]:
    """The answer, how long its first token took, and how many came in each second after it
    (None where there were none)."""
    loop = asyncio.get_running_loop()
    request = ReplyRequest(
        (Message("user", question),), language=candidate.language, max_tokens=REPLY_TOKENS
    )
    asked = loop.time()
    times, tokens = [], []
    async with aclosing(model.reply(request)) as chunks:
        async for chunk in chunks:
            if isinstance(chunk, TokenChunk) and chunk.token:
                times.append(loop.time())
                tokens.append(chunk.token)
    if not times:
        return "", loop.time() - asked, None
    after_s = times[-1] - times[0]
    return "".join(tokens), times[0] - asked, (len(times) - 1) / after_s if after_s else None
