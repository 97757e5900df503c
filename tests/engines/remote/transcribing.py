"""Utterances for a transcription server, and what it answers."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import numpy as np
import pytest

from inzwa_rtc.engines.asr.openai import OpenAITranscription
from inzwa_rtc.engines.contracts import RecognizeRequest, TranscriptChunk
from inzwa_rtc.errors import EngineError
from tests.engines.remote.asking import CANARY
from tests.engines.remote.fake_server import Asked

VOICE = np.tile(np.array([8000, -8000], np.int16), 8).tobytes()  # 1 ms of it
SILENCE = bytes(len(VOICE))
SEGMENT = {"start": 0.0, "end": 0.4, "text": " Mhoroi.", "avg_logprob": -0.1, "no_speech_prob": 0.0}
VERBOSE = {
    "language": "shona",
    "text": " Mhoroi.",
    "segments": [SEGMENT],
    "words": [{"word": "Mhoroi", "start": 0.02, "end": 0.38}],
}


async def utterance(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def recognized(
    engine: OpenAITranscription,
    *pieces: bytes,
    request: RecognizeRequest = RecognizeRequest(),  # noqa: B008 - it is frozen
) -> TranscriptChunk:
    audio = utterance(*(pieces or [VOICE * 400]))
    async with asyncio.timeout(30), aclosing(engine.recognize(audio, request)) as chunks:
        return [chunk async for chunk in chunks][-1]


async def error_of(engine: OpenAITranscription, **how: Any) -> EngineError:
    with pytest.raises(EngineError) as caught:
        await recognized(engine, **how)
    assert CANARY not in str(caught.value)
    assert caught.value.action
    return caught.value


def sent_audio(asked: Asked) -> tuple[tuple[int, int, int], np.ndarray[Any, Any]]:
    with wave.open(io.BytesIO(asked.form["file"][0])) as file:
        form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
        return form, np.frombuffer(file.readframes(file.getnframes()), np.int16)
