"""What requests have done, without HTTP around it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from inzwa_rtc.conversation.shedding import Shedding
from inzwa_rtc.settings import Settings
from signaling.operations.work import Work
from signaling.switchboard import Switchboard
from tests.support.engines import ScriptedModel, ScriptedRecognizer, ToneSynthesizer
from tests.support.server import InProcess, Three


class Shop:
    """Work, the engines that do it, and what gives them out."""

    def __init__(self, work: Work, engines: Three, switchboard: Switchboard[Any]) -> None:
        self.work = work
        self.engines = engines
        self.switchboard = switchboard


@asynccontextmanager
async def working(
    asr: Any = None, llm: Any = None, tts: Any = None, **settings: Any
) -> AsyncIterator[Shop]:
    """Over engines of the test's choosing."""
    engines = Three(asr or ScriptedRecognizer(), llm or ScriptedModel(), tts or ToneSynthesizer())
    all_settings = Settings(**settings)
    switchboard = Switchboard(InProcess(engines), lambda: all_settings)
    await switchboard.open(all_settings)
    work = Work(switchboard, Shedding(all_settings.load))
    try:
        yield Shop(work, engines, switchboard)
    finally:
        await work.close()
        await switchboard.ended()
