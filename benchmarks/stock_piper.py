"""piper-tts as it comes, as an engine of the benchmarks: what users have without this project."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from inzwa_rtc.engines.contracts import Ability, SpeechChunk, SpeechRequest, Voice


class StockPiperOptions(BaseModel):
    """The voice's ONNX file, and the pace that random weights need to sound for 3 s."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Path
    length_scale: float = 1.0
    threads: int = 2


class StockPiper:
    """Speaks sentence by sentence, as `PiperVoice.synthesize` gives them."""

    Options = StockPiperOptions
    abilities: tuple[Ability, ...] = ()

    def __init__(self, options: StockPiperOptions) -> None:
        import onnxruntime
        from piper import PiperVoice, SynthesisConfig

        self._voice = PiperVoice.load(options.model)
        threads = onnxruntime.SessionOptions()
        threads.intra_op_num_threads = options.threads
        self._voice.session = onnxruntime.InferenceSession(
            str(options.model), threads, providers=["CPUExecutionProvider"]
        )
        self._config = SynthesisConfig(length_scale=options.length_scale)
        self.sample_rate = self._voice.config.sample_rate
        self.voices: Sequence[Voice] = (Voice("stock", "Stock", "en"),)
        self.details = {"model": options.model.name}

    def close(self) -> None:
        """Nothing is held but memory."""

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        """Yield a chunk for each sentence."""
        sentences = iter(self._voice.synthesize(request.text, self._config))

        def following() -> bytes | None:
            chunk = next(sentences, None)
            return None if chunk is None else bytes(chunk.audio_int16_bytes)

        while pcm := await asyncio.to_thread(following):
            yield SpeechChunk(pcm)
