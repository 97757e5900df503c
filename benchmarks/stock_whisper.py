"""faster-whisper as it comes, for comparison: its own `transcribe`, its window of 30 s.

An engine like ours, in a process like ours; it decodes once, when the utterance is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from inzwa_rtc.engines.contracts import RecognizeRequest, TranscriptChunk


class StockOptions(BaseModel):
    """`threads` of one decoding, 0 for the library's own choice."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Path
    threads: int = 0


class StockWhisper:
    """`Recognizer` on `faster_whisper.WhisperModel.transcribe`."""

    Options = StockOptions

    def __init__(self, options: StockOptions) -> None:
        from faster_whisper import WhisperModel

        self._model: Any = WhisperModel(
            str(options.model),
            device="cpu",
            compute_type="int8",
            cpu_threads=options.threads,
            local_files_only=True,
        )

    def close(self) -> None:
        """Free the model."""
        self._model = None

    async def recognize(
        self, audio: AsyncIterator[bytes], request: RecognizeRequest
    ) -> AsyncGenerator[TranscriptChunk, None]:
        """Yield the final transcript."""
        pcm = b"".join([piece async for piece in audio])
        samples = np.frombuffer(pcm, np.int16).astype(np.float32) / 32768
        text = await asyncio.to_thread(self._written, samples, request.language)
        yield TranscriptChunk(text, 0, len(samples) // 16, True, 1.0, request.language or "")

    def _written(self, samples: Any, language: str | None) -> str:
        # What makes it as quick as it can be: one beam, one temperature, no times.
        segments, _ = self._model.transcribe(
            samples,
            language=language,
            beam_size=1,
            temperature=0.0,
            without_timestamps=True,
            condition_on_previous_text=False,
        )
        return "".join(segment.text for segment in segments)
