"""A recogniser that hears the same words in every utterance, at once: for load tests.

What a server, its network and its clients bear is measured with engines that cost nothing
(`benchmarks/stub.yaml`); what the engines cost is measured apart.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from inzwa_rtc.engines.contracts import (
    ASR_SAMPLE_RATE,
    Ability,
    RecognizeRequest,
    TranscriptChunk,
)
from inzwa_rtc.errors import EngineError
from inzwa_rtc.language import base_language

_BYTES_PER_MS = 2 * ASR_SAMPLE_RATE // 1000


class FixedTranscriptOptions(BaseModel):
    """Options under `asr:` in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: Annotated[str, Field(min_length=1)] = "what can you do"
    """The words that are heard."""
    language: Annotated[str, Field(min_length=1)] = "en"
    """Their language (BCP 47); another one that is asked for is refused."""


class FixedTranscript:
    """Takes the audio without listening; silence has no words."""

    Options = FixedTranscriptOptions
    abilities: tuple[Ability, ...] = ()

    def __init__(self, options: FixedTranscriptOptions) -> None:
        self.languages = (options.language,)
        self.details = {"model": "the same words each time", "languages": options.language}
        self._options = options

    def close(self) -> None:
        """Nothing is held."""

    async def recognize(
        self, audio: AsyncIterator[bytes], request: RecognizeRequest
    ) -> AsyncGenerator[TranscriptChunk, None]:
        """Yield the words when the audio has ended. Raises `EngineError` for another language."""
        known = self._options.language
        if request.language and base_language(request.language) != base_language(known):
            raise EngineError(
                f"The recogniser `fixed` hears words in {known}, not {request.language}.",
                action="Set `asr.language` and `asr.text`, or another `asr_engine`.",
                code="unknown_language",
            )
        size, has_sound = 0, False
        async for piece in audio:
            size += len(piece)
            has_sound = has_sound or any(piece)
        text = self._options.text if has_sound else ""
        yield TranscriptChunk(text, 0, size // _BYTES_PER_MS, True, float(has_sound), known)
