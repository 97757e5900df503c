"""What the first caller would otherwise wait for, done before the server says it is ready.

A recogniser's first utterance is slower than the next (20 ms with PocketSphinx; a model on a
GPU may take seconds), and so is the first certificate and Opus state of a process (6 ms).
Speech is warm by itself once the apologies are rendered. A language model is asked for no reply,
which may cost money; one on this machine reads the instructions.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from inzwa_rtc.conversation.dialogue import Dialogue
from inzwa_rtc.conversation.history import History
from inzwa_rtc.conversation.peer import Command
from inzwa_rtc.conversation.shedding import Shedding
from inzwa_rtc.conversation.voice import VoiceSettings
from inzwa_rtc.engines.contracts import (
    ASR_SAMPLE_RATE,
    LanguageModel,
    PreparingLanguageModel,
    Recognizer,
    RecognizeRequest,
    ReplyRequest,
)
from inzwa_rtc.errors import ConfigError, EngineError, EngineTimeout
from inzwa_rtc.settings import Settings
from inzwa_rtc.transport.clock import MediaClock
from inzwa_rtc.transport.webrtc import WebRtcPeer
from inzwa_rtc.turntaking.ear import Ear
from inzwa_rtc.turntaking.silero import Silero
from signaling.dialects.native import NativeDialect
from signaling.media import warm_network

SILENCE_S = 0.2

_OF_THE_SETTINGS = frozenset({"unknown_language", "unknown_adapter", "cannot_translate"})
"""Codes of errors that every request would end in until the settings change."""


async def warm_up_media(settings: Settings) -> Silero:
    """Make one peer that nobody uses and nobody listens to; the network that callers are to be
    heard with, which is warm. Raises `ConfigError`."""
    network = await asyncio.to_thread(warm_network)
    if settings.webrtc_offered:
        peer = WebRtcPeer[Command](
            settings, NativeDialect(settings.limits), MediaClock(), Ear(network).unheard()
        )
        await peer.close()
    return network


async def warm_up(settings: Settings, recognizer: Recognizer, llm: LanguageModel) -> None:
    """Recognise silence, and have the instructions read by a language model that reads ahead:
    that costs nobody money.

    Raises `ConfigError` for a language or an adapter that the engines do not have, and what
    else they raise. The time that an engine may take to load is given to each.
    """
    limit_s = settings.timeouts.engine_start
    try:
        async with asyncio.timeout(limit_s):
            request = RecognizeRequest(settings.asr_language, settings.asr_task == "translate")
            async with aclosing(recognizer.recognize(silence(), request)) as chunks:
                async for _ in chunks:
                    pass
        if isinstance(llm, PreparingLanguageModel):
            async with asyncio.timeout(limit_s):
                await llm.prepare(first_request(settings))
    except EngineError as error:
        if error.code in _OF_THE_SETTINGS:
            raise ConfigError(error.message, action=error.action, code=error.code) from None
        raise
    except TimeoutError:
        raise EngineTimeout(
            f"An engine did not answer a first request within {limit_s:g} s.",
            action="Raise `timeouts.engine_start`, or choose a smaller model.",
        ) from None


def first_request(settings: Settings, words: str = "") -> ReplyRequest:
    """What the first turn of a call begins with, in which the caller says `words`."""
    voice = VoiceSettings(settings.language, None, 1.0)
    dialogue = Dialogue(settings, voice, History(1), Shedding(settings.load))
    return dialogue.request(settings, words)


async def silence() -> AsyncIterator[bytes]:
    """A short utterance in which nobody speaks."""
    yield bytes(2 * int(SILENCE_S * ASR_SAMPLE_RATE))
