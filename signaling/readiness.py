"""What has to be spoken and loaded before a set of engines may take calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from inzwa_rtc.conversation.engines import EngineSet, Faults
from inzwa_rtc.conversation.peer import UpdateVoice
from inzwa_rtc.conversation.phrases import cut_whole
from inzwa_rtc.conversation.rehearsal import Rehearsal
from inzwa_rtc.conversation.spoken import Lines, lines
from inzwa_rtc.conversation.voices import Voices
from inzwa_rtc.engines.contracts import (
    LanguageModel,
    Recognizer,
    SpeechRequest,
    Synthesizer,
    takes_tools,
)
from inzwa_rtc.errors import EngineTimeout
from inzwa_rtc.pseudonym import Pseudonyms
from inzwa_rtc.safety import Safety
from inzwa_rtc.settings import Settings
from inzwa_rtc.speech.cache.cache import PhraseCache, loudness_file
from inzwa_rtc.speech.cost import OTHERS, Spending
from inzwa_rtc.speech.loudness import Loudness
from inzwa_rtc.speech.manner import manner_of, prepare
from inzwa_rtc.speech.reading import Manner, Reading
from inzwa_rtc.tools import loading
from inzwa_rtc.tools.toolbox import Toolbox

log = structlog.get_logger(__name__)


class Trio(Protocol):
    """One engine of each kind."""

    @property
    def asr(self) -> Recognizer:
        """Turns speech into text."""
        ...

    @property
    def llm(self) -> LanguageModel:
        """Continues dialogues."""
        ...

    @property
    def tts(self) -> Synthesizer:
        """Speaks."""
        ...


@dataclass(frozen=True, slots=True)
class Memory:
    """What outlives an exchange of engines: phrases, and what speech has cost."""

    cache: PhraseCache
    spending: Spending


async def check_without_engines(settings: Settings, old: EngineSet | None = None) -> None:
    """Make the rules and the tools for once, so that whoever has named wrong ones need not wait
    for engines to load to be told. Raises `ConfigError`."""
    await _safety(settings)
    if old is None or old.settings.tools != settings.tools:
        await loading.check(settings.tools)


async def ready(
    lineup: Trio, settings: Settings, old: EngineSet | None, memory: Memory
) -> EngineSet:
    """The engines with the apologies in their voice: those of `old` where nothing that
    they depend on is another."""
    voices = Voices(lineup.tts, settings)
    voices.check_settings()
    manner = await _manner(settings, voices.languages(), old)
    safety = await _safety(settings)
    faults = None
    if old is not None and lineup.tts is old.tts:
        manner = replace(manner, paces=old.manner.paces)
        is_as_loud = settings.tts_loudness_lufs == old.settings.tts_loudness_lufs
        says_the_same = (
            settings.call.greeting == old.settings.call.greeting
            and settings.tools == old.settings.tools  # their fillers
        )
        refuses_the_same = _refusals(safety, voices) == _refusals(old.safety, old.voices)
        is_as_usual = manner == old.manner and voices.usual() == old.voices.usual()
        if is_as_loud and says_the_same and refuses_the_same and is_as_usual:
            faults = old.faults
    if faults is None:
        faults = await rehearse(voices, lineup.tts, manner, memory, settings, safety)
    # The last thing that can fail: whoever has opened them has them closed.
    tools = await _tools(settings, old)
    if tools.tools and not takes_tools(lineup.llm):
        log.warning(
            "tools.not_offered",
            llm_engine=settings.llm_engine,
            action="Choose an engine with the ability `tools` (`inzwa-rtc engines`).",
        )
    return EngineSet(
        lineup.asr,
        lineup.llm,
        lineup.tts,
        settings,
        faults,
        manner,
        memory.cache,
        memory.spending,
        safety,
        tools,
    )


async def _tools(settings: Settings, old: EngineSet | None) -> Toolbox:
    """Those in use where their settings are the same: connections stay."""
    if old is not None and old.settings.tools == settings.tools:
        return old.tools
    return await loading.opened(settings.tools)


async def _safety(settings: Settings) -> Safety:
    return await asyncio.to_thread(Safety, settings.safety, Pseudonyms(settings.hmac_key))


def _refusals(safety: Safety, voices: Voices) -> Sequence[Sequence[str]]:
    return [safety.lines(language) for language in voices.languages()]


async def _manner(settings: Settings, languages: Sequence[str], old: EngineSet | None) -> Manner:
    """How texts are read from now on; what a first text would wait for is done."""

    def prepared() -> Manner:
        manner = manner_of(settings.speech)
        prepare(manner, languages)
        if old is not None and old.settings.tts_loudness_lufs == settings.tts_loudness_lufs:
            return replace(manner, loudness=old.manner.loudness)
        measured = Loudness(settings.tts_loudness_lufs, loudness_file(settings))
        return replace(manner, loudness=measured)

    return await asyncio.to_thread(prepared)


async def rehearse(
    voices: Voices,
    synthesizer: Synthesizer,
    manner: Manner,
    memory: Memory,
    settings: Settings,
    safety: Safety,
) -> Faults:
    """The apologies in every language that is offered, each in the voice that its callers
    hear, ready before an engine can fail; the greeting is ready as well, and so is what is said
    while a tool takes its time. Refusals are kept once they are spoken. Raises `EngineError`."""
    timeouts = settings.timeouts

    def count(engine: str, model: str, characters: int) -> None:
        memory.spending.count(OTHERS, engine, model, characters)

    rehearsal = Rehearsal(
        lambda: Reading(synthesizer, manner, count=count), memory.cache, timeouts.first_audio
    )
    usual = voices.usual()
    callers = {
        language: voices.choose(UpdateVoice(language), usual) for language in voices.languages()
    }

    def requests(text: Callable[[Lines], str]) -> list[SpeechRequest]:
        told = ((text(lines(language)), voice) for language, voice in callers.items())
        return [SpeechRequest(text, v.voice, v.language) for text, v in told if text]

    greeting = settings.call.greeting
    greetings = requests(lambda own: own.greeting if greeting is None else greeting)
    apologies = requests(lambda own: own.fault)
    waiting = [
        SpeechRequest(phrase, v.voice, v.language)
        for language, v in callers.items()
        for filler in loading.fillers_in(settings.tools, language)
        for phrase in cut_whole(filler)  # as it will be spoken
    ]
    others = (
        lambda own: own.not_understood,
        lambda own: own.idle,
        lambda own: own.time_limit,
        lambda own: own.idle_limit,
    )
    further = [request for text in others for request in requests(text)]
    further += [
        SpeechRequest(line, voice.voice, voice.language)
        for language, voice in callers.items()
        for line in safety.lines(language)
    ]
    rehearsal.pin([*apologies, *greetings, *waiting, *further])
    try:
        async with asyncio.timeout(timeouts.engine_start):
            rendered = await rehearsal.rendered([*apologies, *greetings, *waiting], further)
    except TimeoutError:
        raise EngineTimeout(
            f"The speech engine did not speak the apologies within {timeouts.engine_start:g} s.",
            action="Raise `timeouts.engine_start`, or choose another engine.",
        ) from None
    return dict(zip(callers, rendered, strict=False))
