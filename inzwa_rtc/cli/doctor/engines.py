"""Checks of the configured engines: each is found, loaded and made to do its work once, in a
process of its own as in the server: one that hangs or dies is ended, and is a finding."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import aclosing, asynccontextmanager
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
from inzwa_rtc.engines.voice_list import VoiceList
from inzwa_rtc.errors import EngineTimeout
from inzwa_rtc.settings import Settings

_WORD = "hello"
_LEAD_IN = bytes(ASR_SAMPLE_RATE * 2 * 3 // 10)  # recognisers want 300 ms of silence around speech
_CLIENTS = {"asr": RecognizerClient, "llm": LanguageModelClient, "tts": SynthesizerClient}


def engines(settings: Settings) -> Finding:
    """The engines that the settings name are known; otherwise nothing else can be asked of them."""
    chosen = registry.chosen(settings)
    named = [engine.spec.name for kind in registry.KINDS for engine in chosen[kind]]
    return Finding("engines", "ok", ", ".join(named))


def recognition(settings: Settings) -> Sequence[Finding]:
    """Every recogniser hears a word that the synthesizer speaks."""
    return _each("recognition", "asr", settings, _recognition)


def replies(settings: Settings) -> Sequence[Finding]:
    """Every language model answers a greeting."""
    return _each("replies", "llm", settings, _replies)


def speech(settings: Settings) -> Sequence[Finding]:
    """Every synthesizer speaks a word, in the configured voice where that is its own."""
    return _each("speech", "tts", settings, _speech)


_Look = Callable[[str, Settings, Chosen], Coroutine[Any, Any, Finding]]


def _each(name: str, kind: EngineKind, settings: Settings, look: _Look) -> Sequence[Finding]:
    """A finding for each engine of the kind. Of several one has to work."""
    wanted = registry.chosen(settings)[kind]
    names = [name] if len(wanted) == 1 else [f"{name} {engine.spec.name}" for engine in wanted]
    findings = [
        finding
        for title, engine in zip(names, wanted, strict=True)
        for finding in found(title, partial(_run, partial(look, title, settings, engine)))
    ]
    if all(finding.status == "problem" for finding in findings):
        return findings
    return [
        replace(finding, status="warning") if finding.status == "problem" else finding
        for finding in findings
    ]


def _run(look: Callable[[], Coroutine[Any, Any, Finding]]) -> Finding:
    return asyncio.run(look())


async def _recognition(name: str, settings: Settings, chosen: Chosen) -> Finding:
    speaking = registry.chosen(settings)["tts"][0]
    async with _loaded(settings, speaking) as (speaker, _):
        async with _loaded(settings, chosen) as (engine, told), _in_time(settings, told):
            word = await _spoken_word(settings, speaker, speaking)
            heard = await _recognise(settings, engine, word)
    if not heard:
        return Finding(
            name,
            "warning",
            f"{told} loads, but did not understand a spoken `{_WORD}`",
            "Expected of a model for another language; otherwise check its model and language.",
        )
    return Finding(name, "ok", f"{told} understood a spoken word")


async def _replies(name: str, settings: Settings, chosen: Chosen) -> Finding:
    async with _loaded(settings, chosen) as (engine, told), _in_time(settings, told):
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
    async with _loaded(settings, chosen) as (engine, told), _in_time(settings, told):
        pcm = await _speak(settings, engine, chosen)
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
async def _loaded(settings: Settings, chosen: Chosen) -> AsyncIterator[tuple[Any, str]]:
    """The engine, and what it is and runs on. Raises what `EngineProcess.start` does."""
    launch = Launch(spec=chosen.spec, options=chosen.options, python=chosen.python)
    process = EngineProcess(launch, start_timeout_s=settings.timeouts.engine_start)
    async with supervised([process]):
        details = process.description["details"]
        told = [details[name] for name in ("model", "device", "compute") if name in details]
        if "threads" in details:
            told.append(f"threads: {details['threads']}")
        name = chosen.spec.name
        yield _CLIENTS[chosen.spec.kind](process), f"{name} ({', '.join(told)})" if told else name


@asynccontextmanager
async def _in_time(settings: Settings, told: str) -> AsyncIterator[None]:
    """An engine has as long to do its work as to load. Raises `EngineTimeout`."""
    within_s = settings.timeouts.engine_start
    try:
        async with asyncio.timeout(within_s):
            yield
    except TimeoutError:
        raise EngineTimeout(
            f"{told} loads, but did not do its work within {within_s:g} s.",
            action="Choose a smaller model or another device, or give the machine more room.",
        ) from None


async def _speak(settings: Settings, engine: Synthesizer, chosen: Chosen) -> bytes:
    voice = settings.tts_voice
    if len(registry.chosen(settings)["tts"]) > 1:  # it may be another's
        voice = VoiceList({chosen.spec.name: engine.voices}).own_id(chosen.spec.name, voice)
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


async def _spoken_word(settings: Settings, speaker: Synthesizer, speaking: Chosen) -> bytes:
    from inzwa_rtc.audio.resample import Resampler

    resampler = Resampler(speaker.sample_rate, ASR_SAMPLE_RATE)
    return resampler.feed(await _speak(settings, speaker, speaking)) + resampler.flush()


async def _recognise(settings: Settings, engine: Recognizer, pcm: bytes) -> str:
    request = RecognizeRequest(settings.asr_language, translate=settings.asr_task == "translate")
    async with aclosing(engine.recognize(_pieces(_LEAD_IN + pcm + _LEAD_IN), request)) as chunks:
        return "".join([chunk.text async for chunk in chunks if chunk.is_final])


async def _pieces(pcm: bytes) -> AsyncGenerator[bytes, None]:
    yield pcm
