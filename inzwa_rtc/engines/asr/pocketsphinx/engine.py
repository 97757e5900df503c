"""CMU PocketSphinx on the guide's own phrases: recognition that needs no download.

It answers with a phrase of the script or not at all. The dictionary holds the
script's words only, which makes a decoder small (7 MB) and quick. It understands
English. The library holds the interpreter lock while it computes, so audio is fed
to it in pieces of 40 ms at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from inzwa_rtc.engines.asr.pocketsphinx.ear import Ear, Heard, Judge
from inzwa_rtc.engines.asr.pocketsphinx.model import Model
from inzwa_rtc.engines.contracts import (
    ASR_SAMPLE_RATE,
    Ability,
    RecognizeRequest,
    TranscriptChunk,
)
from inzwa_rtc.engines.guide.script import load
from inzwa_rtc.errors import EngineError

_PIECE_BYTES = 2 * ASR_SAMPLE_RATE * 40 // 1000  # about 2 ms of work under the lock
_PARTIAL_BYTES = 2 * ASR_SAMPLE_RATE * 100 // 1000


class PocketSphinxOptions(BaseModel):
    """Options under `asr:` in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    script: Path | None = None
    """The script whose phrases are recognised; give it the same as under `llm:`."""
    extra: Path | None = None
    """The script laid over it; give it the same as under `llm:`."""
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Confidence below which an utterance counts as not understood. Calibrated on synthetic
    voices (`benchmarks/recognition.py`); 0 passes everything on."""
    max_utterances: Annotated[int, Field(ge=1, le=256)] = 8
    """Utterances recognised at the same time; others wait. Each has a decoder of 7 MB."""


class PocketSphinx:
    """Recognises the script's phrases while they are spoken."""

    Options = PocketSphinxOptions
    abilities: tuple[Ability, ...] = ("partials",)
    languages = ("en",)

    def __init__(self, options: PocketSphinxOptions) -> None:
        """Build the language model from the script.

        Raises `ConfigError` for a script that is broken or has words without
        pronunciation, `ImportError` when PocketSphinx is not installed.
        """
        script = load(options.script, options.extra)
        self._model = Model(script)
        self._threshold = options.threshold
        self.details = {
            "model": "en-us, of PocketSphinx",
            "device": "cpu",
            "threads": "1",
            "languages": "en",
        }
        self._judge = Judge(self._model)
        self._idle: list[Ear] = [
            Ear(self._model, self._judge)
        ]  # the first is made now: a fault shows at once
        self._free = asyncio.Semaphore(options.max_utterances)
        # More threads would only wait for each other: the library keeps the interpreter lock.
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pocketsphinx")

    def close(self) -> None:
        """Free all decoders; work under way is waited for (a few milliseconds)."""
        self._worker.shutdown(wait=True, cancel_futures=True)
        self._idle.clear()

    async def recognize(
        self, audio: AsyncIterator[bytes], request: RecognizeRequest
    ) -> AsyncGenerator[TranscriptChunk, None]:
        """Yield what is understood so far, at most every 100 ms of audio, then the final text.

        Raises `EngineError` for a language other than English.
        """
        if request.language and request.language.split("-")[0].lower() != "en":
            raise EngineError(
                f"PocketSphinx understands English, not {request.language}.",
                action="Set asr_engine to an engine that knows the language.",
                code="unknown_language",
            )
        loop = asyncio.get_running_loop()
        async with self._free:
            ear = await loop.run_in_executor(self._worker, self._take)
            try:
                shown, unseen = "", 0
                async for piece in audio:
                    for start in range(0, len(piece), _PIECE_BYTES):
                        part = piece[start : start + _PIECE_BYTES]
                        await loop.run_in_executor(self._worker, ear.feed, part)
                    unseen += len(piece)
                    if unseen >= _PARTIAL_BYTES:
                        unseen = 0
                        await loop.run_in_executor(self._worker, ear.pause)
                        heard = await loop.run_in_executor(self._worker, ear.so_far)
                        if heard.text != shown:
                            shown = heard.text
                            yield self._chunk(heard, is_final=False)
                heard = await loop.run_in_executor(self._worker, ear.finish)
                yield self._chunk(heard, is_final=True)
            finally:
                # In the worker's order, after any piece that is still being decoded.
                self._worker.submit(self._give_back, ear)

    def _chunk(self, heard: Heard, *, is_final: bool) -> TranscriptChunk:
        refused = is_final and heard.confidence < self._threshold
        text = "" if refused else heard.text
        return TranscriptChunk(text, heard.start_ms, heard.end_ms, is_final, heard.confidence, "en")

    def _take(self) -> Ear:
        ear = self._idle.pop() if self._idle else Ear(self._model, self._judge)
        ear.begin()
        return ear

    def _give_back(self, ear: Ear) -> None:
        ear.end()
        self._idle.append(ear)
