"""FastRTC: a `ReplyOnPause` stream, mounted as its documentation has it.

It judges pieces of audio as long as the endpointing silence, with pipecat's Silero file (its own
would be fetched from a hub), fed at 16 kHz, which spares it a resampling.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI
from fastrtc import AlgoOptions, ReplyOnPause, Stream

from benchmarks.peers.shared import SENTENCES, Given, Silero, given, tone

RATE = 24_000
_TONE = tone(RATE).reshape(1, -1)


class Detector:
    """FastRTC's `PauseDetectionModel`: how much of a piece is speech. Like FastRTC's own it
    starts each piece anew, because one is shared by all calls, each of which asks it from
    threads of its own."""

    def __init__(self, options: Given) -> None:
        self._silero = Silero.of(options.silero)

    def vad(self, audio: tuple[int, Any], options: Any) -> tuple[float, list[Any]]:
        """Seconds of speech in the piece."""
        return self._silero.speech_s(np.squeeze(audio[1]).astype(np.int16)), []

    def warmup(self) -> None:
        """Nothing is slow at first."""


def reply(audio: tuple[int, Any]) -> Iterator[tuple[int, Any]]:
    """Three sentences, at once."""
    for _ in range(SENTENCES):
        yield RATE, _TONE


def application(options: Given) -> FastAPI:
    """Takes offers where FastRTC does."""
    piece_s = options.silence_ms / 1000
    handler = ReplyOnPause(
        reply,
        algo_options=AlgoOptions(
            audio_chunk_duration=piece_s,
            started_talking_threshold=piece_s / 2,
            speech_threshold=piece_s / 4,
        ),
        input_sample_rate=16_000,
        output_sample_rate=RATE,
        model=Detector(options),
    )
    stream = Stream(
        handler,
        modality="audio",
        mode="send-receive",
        concurrency_limit=1000,
        server_rtc_configuration={"iceServers": []},
        verbose=False,
    )
    app = FastAPI()
    stream.mount(app)

    @app.get("/readyz")
    async def ready() -> str:
        return "ok"

    return app


if __name__ == "__main__":
    told = given()
    uvicorn.run(application(told), host="127.0.0.1", port=told.port, log_level="warning")
