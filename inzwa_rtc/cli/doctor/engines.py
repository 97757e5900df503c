"""Checks of the configured engines: each is found, loaded and made to do its work once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Coroutine, Iterator
from contextlib import aclosing
from typing import Any, TypeVar

from inzwa_rtc.cli.doctor.finding import Finding
from inzwa_rtc.engines import registry
from inzwa_rtc.engines.contracts import (
    ASR_SAMPLE_RATE,
    EngineKind,
    LanguageModel,
    Message,
    Recognizer,
    RecognizeRequest,
    ReplyRequest,
    SpeechRequest,
    Synthesizer,
    TokenChunk,
)
from inzwa_rtc.settings import Settings

_Result = TypeVar("_Result")

_WORD = "hello"
_LEAD_IN = bytes(ASR_SAMPLE_RATE * 2 * 3 // 10)  # recognisers want 300 ms of silence around speech


def recognition(settings: Settings) -> Finding:
    """The recogniser hears a word that the synthesizer speaks."""
    name, engine_name = "recognition", settings.asr_engine
    with _loaded(settings, "tts") as speaker, _loaded(settings, "asr") as engine:
        heard = asyncio.run(_within(settings, _recognise(settings, speaker, engine)))
    if not heard:
        return Finding(
            name,
            "warning",
            f"{engine_name} loads, but did not understand a spoken `{_WORD}`",
            "Expected of a model for another language; otherwise check its model and language.",
        )
    return Finding(name, "ok", f"{engine_name} understood a spoken word")


def replies(settings: Settings) -> Finding:
    """The language model answers a greeting."""
    with _loaded(settings, "llm") as engine:
        answered = asyncio.run(_within(settings, _reply(settings, engine)))
    if not answered:
        return Finding(
            "replies",
            "problem",
            f"{settings.llm_engine} loads, but answers nothing",
            "Check its model and its options under `llm:`.",
        )
    return Finding("replies", "ok", f"{settings.llm_engine} answers")


def speech(settings: Settings) -> Finding:
    """The synthesizer speaks a word in the configured voice."""
    with _loaded(settings, "tts") as engine:
        pcm = asyncio.run(_within(settings, _speak(settings, engine)))
        voices = len(engine.voices)
    if not any(pcm):
        return Finding(
            "speech",
            "problem",
            f"{settings.tts_engine} loads, but returns silence",
            "Check its model, its voice and its options under `tts:`.",
        )
    return Finding("speech", "ok", f"{settings.tts_engine} speaks; voices: {voices}")


@contextlib.contextmanager
def _loaded(settings: Settings, kind: EngineKind) -> Iterator[Any]:
    """The preferred engine in this very process: the doctor serves nobody whom it could harm."""
    engine_chosen = registry.chosen(settings)[kind][0]
    with contextlib.closing(registry.load(engine_chosen.spec, engine_chosen.options)) as engine:
        yield engine


async def _within(settings: Settings, work: Coroutine[Any, Any, _Result]) -> _Result:
    async with asyncio.timeout(settings.timeouts.engine_start):
        return await work


async def _speak(settings: Settings, engine: Synthesizer) -> bytes:
    request = SpeechRequest(_WORD, voice=settings.tts_voice, language=settings.language)
    async with aclosing(engine.synthesize(request)) as chunks:
        return b"".join([chunk.pcm async for chunk in chunks])


async def _reply(settings: Settings, engine: LanguageModel) -> bool:
    request = ReplyRequest([Message("user", _WORD)], settings.language, settings.llm_max_tokens)
    async with aclosing(engine.reply(request)) as pieces:
        async for piece in pieces:
            if not isinstance(piece, TokenChunk) or piece.token.strip():
                return True
    return False


async def _recognise(settings: Settings, speaker: Synthesizer, engine: Recognizer) -> str:
    from inzwa_rtc.audio.resample import Resampler

    resampler = Resampler(speaker.sample_rate, ASR_SAMPLE_RATE)
    pcm = resampler.feed(await _speak(settings, speaker)) + resampler.flush()
    request = RecognizeRequest(settings.asr_language)
    async with aclosing(engine.recognize(_pieces(_LEAD_IN + pcm + _LEAD_IN), request)) as chunks:
        return "".join([chunk.text async for chunk in chunks if chunk.is_final])


async def _pieces(pcm: bytes) -> AsyncGenerator[bytes, None]:
    yield pcm
