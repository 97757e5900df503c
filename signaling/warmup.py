"""What the first caller would otherwise wait for, done before the server says it is ready.

A recogniser's first utterance is slower than the next (20 ms with PocketSphinx; a model on a
GPU may take seconds), and so is the first certificate and Opus state of a process (6 ms).
Speech is warm by itself once the apologies are rendered. A language model is left alone: its
requests may cost money.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import structlog

from inzwa_rtc.conversation.peer import Command
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE, Recognizer, RecognizeRequest
from inzwa_rtc.errors import EngineError
from inzwa_rtc.settings import Settings
from inzwa_rtc.transport.webrtc import WebRtcPeer
from signaling.dialects.native import NativeDialect

SILENCE_S = 0.2

log = structlog.get_logger(__name__)


async def warm_up_media(settings: Settings) -> None:
    """Make one peer that nobody uses."""
    if settings.webrtc_offered:
        await WebRtcPeer[Command](settings, NativeDialect(settings.limits)).close()


async def warm_up_recognizer(settings: Settings, recognizer: Recognizer) -> None:
    """Recognise silence. Its failure is logged and ends nothing: the engine's own supervision
    decides what becomes of it."""
    request = RecognizeRequest(settings.asr_language)
    try:
        async with (
            asyncio.timeout(settings.timeouts.engine_start),
            aclosing(recognizer.recognize(_silence(), request)) as chunks,
        ):
            async for _ in chunks:
                pass
    except (EngineError, TimeoutError) as error:
        log.warning("engine.not_warmed_up", kind="asr", error=type(error).__name__)


async def _silence() -> AsyncIterator[bytes]:
    yield bytes(2 * int(SILENCE_S * ASR_SAMPLE_RATE))
