"""A session under test, with engines and a caller whose timing the test decides."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from inzwa_rtc.conversation.engines import EngineSet
from inzwa_rtc.conversation.rehearsal import Rehearsal
from inzwa_rtc.conversation.resumable import ResumablePeer
from inzwa_rtc.conversation.session import Session
from inzwa_rtc.conversation.shedding import Shedding
from inzwa_rtc.conversation.spoken import languages, lines
from inzwa_rtc.conversation.voice import VoiceSettings
from inzwa_rtc.engines.contracts import (
    RecognizeRequest,
    SpeechRequest,
    ToolCall,
    TranscriptChunk,
)
from inzwa_rtc.errors import EngineError
from inzwa_rtc.events import EndReason, PlaybackEnded, PlaybackStarted
from inzwa_rtc.observer import CallObserver, Unobserved
from inzwa_rtc.settings import CallSettings, Settings
from inzwa_rtc.speech.cache.cache import PhraseCache
from inzwa_rtc.speech.cost import PriceTable, Spending
from inzwa_rtc.speech.reading import Manner, Reading
from inzwa_rtc.tools.toolbox import Toolbox
from inzwa_rtc.users import VoiceMode
from tests.support.engines import ScriptedModel, ScriptedRecognizer, ToneSynthesizer
from tests.support.peer import MemoryPeer
from tests.support.safety import shipped
from tests.support.speech import AS_IT_IS

STORY = "Once upon a time there was a small bird that could not sing at all."
BROKEN = EngineError("It broke.", action="Try again.")


class SteeredRecognizer(ScriptedRecognizer):
    """Says a partial text at once, and its final one when it is `ready`; a text that is
    `BROKEN` is raised."""

    def __init__(self, *texts: str | EngineError) -> None:
        super().__init__()
        self.outcomes = list(texts)
        self.partial = ""
        self.confidence = 1.0
        self.ready = asyncio.Event()
        self.ready.set()

    async def recognize(
        self, audio: AsyncIterator[bytes], request: RecognizeRequest
    ) -> AsyncGenerator[TranscriptChunk, None]:
        if self.partial:
            yield TranscriptChunk(self.partial, 0, 0, False, self.confidence, "en")
        await self.ready.wait()
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, EngineError):
            raise outcome
        self.texts.append(outcome)
        async for chunk in super().recognize(audio, request):
            yield chunk


@dataclass
class Source:
    """`EngineSource` whose engines a test may exchange; counts those that are lent."""

    now: EngineSet
    users: Counter[int] = field(default_factory=Counter)

    @contextmanager
    def lent(self) -> Iterator[EngineSet]:
        engines = self.now
        self.users[id(engines)] += 1
        try:
            yield engines
        finally:
            self.users[id(engines)] -= 1


@dataclass
class Call:
    """A session under test and its parts."""

    peer: MemoryPeer
    asr: ScriptedRecognizer
    llm: ScriptedModel
    tts: ToneSynthesizer
    session: Session
    source: Source
    shedding: Shedding
    running: asyncio.Task[EndReason] = field(init=False)

    async def ended(self) -> EndReason:
        async with asyncio.timeout(5):
            return await self.running

    async def question(self, ms: int = 600) -> None:
        """Speak, and fall silent for long enough."""
        await self.peer.speak(ms)
        await self.peer.be_silent(520)

    async def story_plays(self, ms: int = 1000) -> None:
        """Ask, and hear the answer for a while."""
        await self.question()
        await self.reply_plays(0)
        await self.peer.be_silent(ms)

    async def reply_plays(self, turn: int) -> None:
        await self.peer.until(lambda: PlaybackStarted(turn) in self.peer.events)

    async def reply_ends(self, turn: int) -> None:
        await self.peer.until(lambda: PlaybackEnded(turn) in self.peer.events)


@asynccontextmanager
async def calling(
    *replies: str | asyncio.Event | ToolCall | Sequence[str | ToolCall] | Exception,
    texts: tuple[str, ...] = ("hello",),
    greeting: str | None = "",
    asr: ScriptedRecognizer | None = None,
    watch: CallObserver | None = None,
    manner: Manner = AS_IT_IS,
    toolbox: Toolbox | None = None,
    mode: VoiceMode = "conversation",
    through: ResumablePeer | None = None,
    **groups: Any,
) -> AsyncIterator[Call]:
    call_settings = {"greeting": greeting, "system_prompt": "", **groups.pop("call", {})}
    settings = Settings(call=CallSettings(**call_settings), **groups)
    asr, llm, tts = asr or ScriptedRecognizer(*texts), ScriptedModel(*replies), ToneSynthesizer()
    cache, spending = PhraseCache(settings), Spending(PriceTable({}))
    rehearsal = Rehearsal(lambda: Reading(tts, manner), cache, 1)
    apologies = [SpeechRequest(lines(name).fault, language=name) for name in languages()]
    faults = dict(zip(languages(), await rehearsal.rendered(apologies), strict=True))
    peer, shedding = MemoryPeer(), Shedding(settings.load)
    rules, tools = shipped(settings), toolbox or Toolbox()
    engines = EngineSet(asr, llm, tts, settings, faults, manner, cache, spending, rules, tools)
    source = Source(engines)
    if through is not None:
        through.attach(peer)
    session = Session(
        "id",
        "token",
        through or peer,
        source,
        settings,
        VoiceSettings(settings.language, "tone", 1.0),
        shedding,
        watch or Unobserved(),
        mode,
    )
    call = Call(peer, asr, llm, tts, session, source, shedding)
    call.running = asyncio.create_task(session.run())
    try:
        yield call
    finally:
        call.running.cancel()
        await asyncio.gather(call.running, return_exceptions=True)
