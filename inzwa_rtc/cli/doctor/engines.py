"""Checks of the configured engines: each is found, loaded and made to do its work once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, closing
from dataclasses import replace
from functools import partial
from typing import Any

from inzwa_rtc.cli.doctor.finding import Finding, found
from inzwa_rtc.engines import registry
from inzwa_rtc.engines.client import LanguageModelClient, RecognizerClient, SynthesizerClient
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
from inzwa_rtc.engines.launch import Launch
from inzwa_rtc.engines.process import EngineProcess
from inzwa_rtc.engines.registry import Chosen
from inzwa_rtc.engines.supervised import supervised
from inzwa_rtc.settings import Settings

_WORD = "hello"
_LEAD_IN = bytes(ASR_SAMPLE_RATE * 2 * 3 // 10)  # recognisers want 300 ms of silence around speech
_CLIENTS = {"asr": RecognizerClient, "llm": LanguageModelClient, "tts": SynthesizerClient}


def recognition(settings: Settings) -> Sequence[Finding]:
    """Every recogniser hears a word that the synthesizer speaks."""
    return _each("recognition", "asr", settings, _recognition)


def replies(settings: Settings) -> Sequence[Finding]:
    """Every language model answers a greeting."""
    return _each("replies", "llm", settings, _replies)


def speech(settings: Settings) -> Sequence[Finding]:
    """Every synthesizer speaks a word, the preferred one in the configured voice."""
    return _each("speech", "tts", settings, _speech)


_Look = Callable[[str, Settings, Chosen], Awaitable[Finding]]


def _each(name: str, kind: EngineKind, settings: Settings, look: _Look) -> Sequence[Finding]:
    """A finding for each engine of the kind. Of several one has to work."""
    engines = registry.chosen(settings)[kind]
    names = [name] if len(engines) == 1 else [f"{name} {engine.spec.name}" for engine in engines]
    findings = [
        finding
        for title, engine in zip(names, engines, strict=True)
        for finding in found(title, partial(_run, partial(look, title, settings, engine), settings))
    ]
    if all(finding.status == "problem" for finding in findings):
        return findings
    return [
        replace(finding, status="warning") if finding.status == "problem" else finding
        for finding in findings
    ]


def _run(look: Callable[[], Awaitable[Finding]], settings: Settings) -> Finding:
    async def within() -> Finding:
        async with asyncio.timeout(2 * settings.timeouts.engine_start):  # two may have to load
            return await look()

    return asyncio.run(within())


async def _recognition(name: str, settings: Settings, chosen: Chosen) -> Finding:
    speaking = registry.chosen(settings)["tts"][0]
    async with _loaded(speaking) as (speaker, _), _loaded(chosen) as (engine, told):
        heard = await _recognise(settings, speaker, engine)
    if not heard:
        return Finding(
            name,
            "warning",
            f"{told} loads, but did not understand a spoken `{_WORD}`",
            "Expected of a model for another language; otherwise check its model and language.",
        )
    return Finding(name, "ok", f"{told} understood a spoken word")


async def _replies(name: str, settings: Settings, chosen: Chosen) -> Finding:
    async with _loaded(chosen) as (engine, told):
        answered = await _reply(settings, engine)
    if not answered:
        return Finding(
            name,
            "problem",
            f"{told} loads, but answers nothing",
            "Check its model and its options under `llm:`.",
        )
    return Finding(name, "ok", f"{told} answers")


async def _speech(name: str, settings: Settings, chosen: Chosen) -> Finding:
    is_preferred = chosen == registry.chosen(settings)["tts"][0]
    async with _loaded(chosen) as (engine, told):
        pcm = await _speak(settings, engine, settings.tts_voice if is_preferred else None)
        voices = len(engine.voices)
    if not any(pcm):
        return Finding(
            name,
            "problem",
            f"{told} loads, but returns silence",
            "Check its model, its voice and its options under `tts:`.",
        )
    return Finding(name, "ok", f"{told} speaks; voices: {voices}")


@asynccontextmanager
async def _loaded(chosen: Chosen) -> AsyncIterator[tuple[Any, str]]:
    """The engine, and what it is and runs on.

    It is in this very process, since the doctor serves nobody whom it could harm, but where
    it is installed in another Python.
    """
    spec = chosen.spec
    async with AsyncExitStack() as stack:
        if chosen.python is None:
            # Built where no loop runs, as engines may expect.
            engine = await asyncio.to_thread(registry.load, spec, chosen.options)
            stack.enter_context(closing(engine))
            details = getattr(engine, "details", {})
        else:
            process = EngineProcess(Launch(spec=spec, options=chosen.options, python=chosen.python))
            await stack.enter_async_context(supervised([process]))
            engine, details = _CLIENTS[spec.kind](process), process.description["details"]
        told = [details[name] for name in ("model", "device", "compute") if name in details]
        if "threads" in details:
            told.append(f"threads: {details['threads']}")
        yield engine, f"{spec.name} ({', '.join(told)})" if told else spec.name


async def _speak(settings: Settings, engine: Synthesizer, voice: str | None) -> bytes:
    request = SpeechRequest(_WORD, voice=voice, language=settings.language)
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
    pcm = resampler.feed(await _speak(settings, speaker, settings.tts_voice)) + resampler.flush()
    request = RecognizeRequest(settings.asr_language, translate=settings.asr_task == "translate")
    async with aclosing(engine.recognize(_pieces(_LEAD_IN + pcm + _LEAD_IN), request)) as chunks:
        return "".join([chunk.text async for chunk in chunks if chunk.is_final])


async def _pieces(pcm: bytes) -> AsyncGenerator[bytes, None]:
    yield pcm
