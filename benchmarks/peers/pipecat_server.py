"""pipecat with SmallWebRTC: its pipeline as its documentation puts one together, stub services.

It loads the Silero file that comes with it, which the other peers are given. Endpointing is its
own detector's `stop_secs` alone: no turn model, no further waiting. Its levels gate nothing
(`min_volume`), as the other servers have no such gate.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from typing import Any

from aiohttp import web
from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADParams
from pipecat.frames.frames import (
    Frame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.settings import STTSettings, TTSSettings
from pipecat.services.stt_service import SegmentedSTTService
from pipecat.services.tts_service import TTSService
from pipecat.transports.base_transport import TransportParams
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection
from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport
from pipecat.turns.user_start import VADUserTurnStartStrategy
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.utils.time import time_now_iso8601
from pipecat.workers.runner import WorkerRunner

from benchmarks.peers.shared import REPLY, START_MS, THRESHOLD, TRANSCRIPT, Given, given, tone

RATE = 24_000
_TONE = tone(RATE).tobytes()


class FixedTranscript(SegmentedSTTService):  # type: ignore[misc]
    """The same words for every utterance, at once."""

    def __init__(self) -> None:
        super().__init__(ttfs_p99_latency=0.0, settings=STTSettings(model=None, language=None))

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame, None]:
        yield TranscriptionFrame(TRANSCRIPT, "caller", time_now_iso8601(), finalized=True)


class FixedReply(FrameProcessor):  # type: ignore[misc]
    """The same three sentences to everything, at once."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        await self.push_frame(LLMFullResponseStartFrame())
        for sentence in REPLY:
            await self.push_frame(LLMTextFrame(sentence))
        await self.push_frame(LLMFullResponseEndFrame())


class Tone(TTSService):  # type: ignore[misc]
    """A second of tone for each sentence, at once."""

    def __init__(self) -> None:
        super().__init__(
            sample_rate=RATE,
            push_start_frame=True,
            push_stop_frames=True,
            settings=TTSSettings(model=None, voice=None, language=None),
        )

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame, None]:
        yield TTSAudioRawFrame(_TONE, RATE, 1, context_id=context_id)


async def converse(connection: Any, options: Given) -> None:
    """One call, to its end."""
    transport = SmallWebRTCTransport(
        connection,
        TransportParams(audio_in_enabled=True, audio_out_enabled=True, audio_out_sample_rate=RATE),
    )
    vad = SileroVADAnalyzer(
        params=VADParams(
            confidence=THRESHOLD,
            start_secs=START_MS / 1000,
            stop_secs=options.silence_ms / 1000,
            min_volume=0.0,
        )
    )
    stop = SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.0)
    aggregators = LLMContextAggregatorPair(
        LLMContext(),
        user_params=LLMUserAggregatorParams(
            vad_analyzer=vad,
            user_turn_strategies=UserTurnStrategies(
                start=[VADUserTurnStartStrategy()], stop=[stop]
            ),
        ),
    )
    pipeline = Pipeline(
        [
            transport.input(),
            FixedTranscript(),
            aggregators.user(),
            FixedReply(),
            Tone(),
            transport.output(),
            aggregators.assistant(),
        ]
    )
    worker = PipelineWorker(
        pipeline,
        params=PipelineParams(audio_in_sample_rate=16_000, audio_out_sample_rate=RATE),
    )

    @transport.event_handler("on_client_disconnected")  # type: ignore[untyped-decorator]
    async def gone(transport: Any, client: Any) -> None:
        await worker.cancel()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()


def application(options: Given) -> web.Application:
    """Takes offers where pipecat's own runner does."""
    running: set[asyncio.Task[None]] = set()

    async def ready(request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def accept(request: web.Request) -> web.Response:
        offer = await request.json()
        connection = SmallWebRTCConnection()
        await connection.initialize(sdp=offer["sdp"], type=offer["type"])
        call = asyncio.create_task(converse(connection, options))
        running.add(call)
        call.add_done_callback(running.discard)
        return web.json_response(connection.get_answer())

    app = web.Application()
    app.router.add_get("/readyz", ready)
    app.router.add_post("/api/offer", accept)
    return app


if __name__ == "__main__":
    told = given()
    logger.remove()
    logger.add(sys.stderr, level="WARNING")  # its debug level costs a measurable share
    web.run_app(application(told), host="127.0.0.1", port=told.port, print=None)
