"""faster-whisper: Whisper on CTranslate2, INT8 on the CPU, float16 on a GPU. MIT.

Takes a model in a folder of the operator's and never contacts a hub.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Annotated

import ctranslate2
from pydantic import Field

from inzwa_rtc.engines.asr.decoding import Stretch
from inzwa_rtc.engines.asr.hotwords import Hotwords
from inzwa_rtc.engines.asr.stoppable import StoppableWorkers, Wanted
from inzwa_rtc.engines.asr.whisper.ct2 import Ct2Whisper
from inzwa_rtc.engines.asr.whisper.ct2_files import broken
from inzwa_rtc.engines.asr.whisper.task import (
    ABILITIES,
    Attempt,
    Task,
    WhisperOptions,
    abilities_of,
    describe,
    recognized,
    task_of,
)
from inzwa_rtc.engines.contracts import RecognizeRequest, TranscriptChunk
from inzwa_rtc.engines.hardware import Device, cpus, described, device_of, model_on
from inzwa_rtc.errors import EngineError, EngineUnavailable


class FasterWhisperOptions(WhisperOptions):
    """Options under `asr:` in the configuration."""

    model: Path
    """The folder of a model converted for CTranslate2 (`model.bin`, `tokenizer.json`, ...)."""
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d{1,2})?)$")] = "auto"
    """`cpu`, `cuda`, `cuda:1`; `auto` takes a GPU where there is one that works."""
    compute_type: str = "auto"
    """`int8`, `float16`, ...; `auto` is int8 on a CPU and float16 on a GPU."""
    workers: Annotated[int, Field(ge=1, le=32)] = 1
    """Utterances decoded at the same time. On a CPU they share its threads."""


class FasterWhisper:
    """Recognises with a Whisper model of the operator's."""

    Options = FasterWhisperOptions
    abilities = ABILITIES

    def __init__(self, options: FasterWhisperOptions) -> None:
        """Load the model. Raises `EngineUnavailable` when it is incomplete or broken, or when
        the device asked for is not there."""
        self._options = options
        self._hotwords = Hotwords(options)
        threads = options.threads or max(1, cpus() // options.workers)
        self._model, device = _load(options, threads)
        self.details = {
            **described(device, model_on(device, options.model, options.cpu_model), options.model),
            "compute": self._model.compute_type,
            "threads": str(threads),
            "languages": describe(self._model.languages),
        }
        self.languages = tuple(self._model.languages)
        self.abilities = abilities_of(options, self._model.languages)
        if not self._model.abilities.has_word_times:
            self.abilities = tuple(one for one in self.abilities if one != "word times")
        self._workers = StoppableWorkers(options.workers)

    def close(self) -> None:
        """Wait for the step under way, then free the model."""
        self._workers.close()
        self._model.close()

    async def recognize(
        self, audio: AsyncIterator[bytes], request: RecognizeRequest
    ) -> AsyncGenerator[TranscriptChunk, None]:
        """Yield partial transcripts, then the final one.

        Raises `EngineError` for a language that the model does not know, and for what it
        cannot do.
        """
        task = task_of(request, self._options, self._hotwords, self._model.languages)
        if task.language is None and not self._model.abilities.detects_language:
            raise EngineError(
                "This Whisper model's config.json names no languages to detect.",
                action="Set `asr_language`, or convert the model again.",
                code="unknown_language",
            )
        attempt = partial(self._attempt, task)
        chunks = recognized(audio, attempt, self._workers, self._options)
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk

    def _attempt(self, task: Task, stretch: Stretch, window_s: float, is_wanted: Wanted) -> Attempt:
        options = self._options
        return self._model.attempt(
            stretch,
            task,
            window_s,
            is_wanted,
            beam_size=options.beam_size if stretch.is_final else 1,
            word_times=options.word_times
            and stretch.is_final
            and self._model.abilities.has_word_times,
        )


def _load(options: FasterWhisperOptions, threads: int) -> tuple[Ct2Whisper, Device]:
    """The model, and the device that it is on."""
    device = device_of(
        options.device,
        gpus(),
        library="CTranslate2",
        setting="asr_device",
        remedy="Install NVIDIA's driver and cuBLAS of CUDA 12 (docs/install.md)",
    )
    try:
        return _on(device, options, threads), device
    except EngineUnavailable as error:
        if options.device != "auto" or device.is_cpu:
            raise
        device = Device("cpu", f"the GPU does not work: {error.message}")
        return _on(device, options, threads), device


def gpus() -> int:
    """How many GPUs CTranslate2 sees."""
    count: int = ctranslate2.get_cuda_device_count()
    return count


def _on(device: Device, options: FasterWhisperOptions, threads: int) -> Ct2Whisper:
    name = "cpu" if device.is_cpu else "cuda"
    compute_type = options.compute_type
    if compute_type == "auto":
        compute_type = "int8" if device.is_cpu else "float16"
    model = model_on(device, options.model, options.cpu_model)
    try:
        return Ct2Whisper(model, name, device.number, compute_type, threads, options.workers)
    except (RuntimeError, ValueError, MemoryError) as error:
        if "compute type" in str(error):
            able = ", ".join(sorted(ctranslate2.get_supported_compute_types(name)))
            raise EngineUnavailable(
                f"{name} cannot compute in `{compute_type}`; it can in {able}.",
                action="Set `asr.compute_type` to one of these, or to `auto`.",
            ) from error
        raise broken(model, error) from error
