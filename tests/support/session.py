"""A session under test, with engines and a caller whose timing the test decides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from inzwa_rtc.conversation.session import Session
from inzwa_rtc.conversation.spoken import lines
from inzwa_rtc.conversation.stages import EngineSet, render
from inzwa_rtc.conversation.turn import VoiceSettings
from inzwa_rtc.engines.contracts import ToolCall
from inzwa_rtc.events import EndReason, PlaybackEnded, PlaybackStarted
from inzwa_rtc.settings import CallSettings, Settings
from tests.support.engines import LoudIsSpeech, ScriptedModel, ScriptedRecognizer, ToneSynthesizer
from tests.support.peer import MemoryPeer

STORY = "Once upon a time there was a small bird that could not sing at all."


@dataclass
class Call:
    """A session under test and its parts."""

    peer: MemoryPeer
    asr: ScriptedRecognizer
    llm: ScriptedModel
    tts: ToneSynthesizer
    session: Session
    running: asyncio.Task[EndReason] = field(init=False)

    async def ended(self) -> EndReason:
        async with asyncio.timeout(5):
            return await self.running

    async def question(self, ms: int = 600) -> None:
        """Speak, and fall silent for long enough."""
        await self.peer.speak(ms)
        await self.peer.be_silent(520)

    async def reply_plays(self, turn: int) -> None:
        await self.peer.until(lambda: PlaybackStarted(turn) in self.peer.events)

    async def reply_ends(self, turn: int) -> None:
        await self.peer.until(lambda: PlaybackEnded(turn) in self.peer.events)


@asynccontextmanager
async def calling(
    *replies: str | asyncio.Event | ToolCall | Exception,
    texts: tuple[str, ...] = ("hello",),
    greeting: str | None = "",
    **groups: Any,
) -> AsyncIterator[Call]:
    settings = Settings(call=CallSettings(greeting=greeting, **groups.pop("call", {})), **groups)
    asr, llm, tts = ScriptedRecognizer(*texts), ScriptedModel(*replies), ToneSynthesizer()
    faults = {"en": await render(lines("en").fault, "en", tts, 1)}
    peer = MemoryPeer()
    session = Session(
        "id",
        "token",
        peer,
        EngineSet(asr, llm, tts),
        LoudIsSpeech(),
        settings,
        VoiceSettings("en", "tone", 1.0),
        faults,
    )
    call = Call(peer, asr, llm, tts, session)
    call.running = asyncio.create_task(session.run())
    try:
        yield call
    finally:
        call.running.cancel()
        await asyncio.gather(call.running, return_exceptions=True)
