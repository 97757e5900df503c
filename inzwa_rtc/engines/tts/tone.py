"""A synthesizer that speaks a tone of the same length for each sentence, at once: for load tests.

See `engines/asr/fixed.py`.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from functools import lru_cache
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from inzwa_rtc.engines.contracts import Ability, SpeechChunk, SpeechRequest, Voice
from inzwa_rtc.errors import EngineError

_LEVEL = 6000  # of 32,767: about as loud as a voice
_SENTENCE = re.compile(r"[^.!?]*\w[^.!?]*")
_VOICE = Voice("tone", "Tone", "")


class ToneOptions(BaseModel):
    """Options under `tts:` in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    frequency_hz: Annotated[int, Field(ge=50, le=8000)] = 440
    """Of the tone."""
    sentence_ms: Annotated[int, Field(ge=20, le=10_000)] = 1000
    """How long a sentence is, whatever its words; `speed` divides it."""


class Tone:
    """Speaks every sentence of a text as one stretch of a sine."""

    Options = ToneOptions
    abilities: tuple[Ability, ...] = ()
    sample_rate = 24_000  # what calls are encoded at: nothing is resampled
    voices = (_VOICE,)

    def __init__(self, options: ToneOptions) -> None:
        self.details = {"model": f"a tone of {options.frequency_hz} Hz"}
        self.fingerprint = f"tone {options.frequency_hz} {options.sentence_ms}"
        self._options = options
        # A load test asks for one speed; others are made again when they are asked for.
        self._pcm = lru_cache(maxsize=4)(self._made)

    def close(self) -> None:
        """Nothing is held."""

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        """Yield one chunk for each sentence. Raises `EngineError` for another voice."""
        if request.voice not in (None, _VOICE.id):
            raise EngineError(
                "The engine `tone` has no voice of that name.",
                action=f"Choose `{_VOICE.id}`, or none.",
                code="unknown_voice",
            )
        for _ in _SENTENCE.finditer(request.text):
            yield SpeechChunk(self._pcm(request.speed))

    def _made(self, speed: float) -> bytes:
        count = round(self.sample_rate * self._options.sentence_ms / 1000 / speed)
        turns = self._options.frequency_hz / self.sample_rate * np.arange(count)
        pcm: bytes = (_LEVEL * np.sin(2 * np.pi * turns)).astype("<i2").tobytes()
        return pcm
