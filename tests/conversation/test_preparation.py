"""The reply engine reads ahead what the caller has certainly said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

from inzwa_rtc.conversation.dialogue import Dialogue
from inzwa_rtc.conversation.engines import EngineSet
from inzwa_rtc.conversation.history import History
from inzwa_rtc.conversation.preparation import Preparation
from inzwa_rtc.conversation.shedding import Shedding
from inzwa_rtc.conversation.voice import VoiceSettings
from inzwa_rtc.engines.contracts import (
    Message,
    ReplyRequest,
    TokenChunk,
    ToolCall,
    TranscriptChunk,
)
from inzwa_rtc.errors import EngineError
from inzwa_rtc.settings import CallSettings, Settings
from inzwa_rtc.speech.cache.cache import PhraseCache
from inzwa_rtc.speech.cost import PriceTable, Spending
from tests.support.engines import ScriptedRecognizer, ToneSynthesizer
from tests.support.peer import settle
from tests.support.safety import shipped
from tests.support.session import Source
from tests.support.speech import AS_IT_IS

GUARD_S = 5.0


class Reader:
    """A model that tells what it is to read, and reads until it is let go on."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[list[Message]] = asyncio.Queue()
        self.may_go_on = asyncio.Semaphore(0)
        self.fails = False

    async def prepare(self, request: ReplyRequest) -> None:
        self.asked.put_nowait(list(request.messages))
        if self.fails:
            raise EngineError("It broke.")
        await self.may_go_on.acquire()

    async def reply(self, request: ReplyRequest) -> AsyncGenerator[TokenChunk | ToolCall, None]:
        yield TokenChunk("never asked")


class Call:
    def __init__(self, limit_s: float = GUARD_S) -> None:
        self.reader = Reader()
        self.history = History(40)
        settings = Settings(call=CallSettings(system_prompt="Be brief."))
        self.shedding = Shedding(settings.load)
        voice = VoiceSettings("en", None, 1.0)
        dialogue = Dialogue(settings, voice, self.history, self.shedding)
        asr, tts = ScriptedRecognizer(), ToneSynthesizer()
        cache, spending = PhraseCache(settings), Spending(PriceTable({}))
        self.source = Source(
            EngineSet(
                *(asr, self.reader, tts, settings, {}, AS_IT_IS, cache, spending),
                shipped(settings),
            )
        )
        self.preparation = Preparation(self.source, dialogue, self.shedding, limit_s)

    def heard(self, text: str, stable: int, *, is_final: bool = False) -> None:
        self.preparation.heard(TranscriptChunk(text, 0, 0, is_final, 0.9, "en", stable=stable))

    async def asked(self) -> list[Message]:
        async with asyncio.timeout(GUARD_S):
            return await self.reader.asked.get()


SYSTEM = Message("system", "Be brief.")


async def test_the_instructions_are_read_when_the_call_begins_then_the_stable_words() -> None:
    call = Call()
    async with asyncio.timeout(GUARD_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(call.preparation.run())
        assert await call.asked() == [SYSTEM]
        call.reader.may_go_on.release()
        call.history.add_user("hello")
        call.history.add_assistant("Hello.")
        call.heard("what time is it", len("what time"))
        before = [SYSTEM, Message("user", "hello"), Message("assistant", "Hello.")]
        assert await call.asked() == [*before, Message("user", "what time")]
        assert call.history.messages == before[1:]
        running.cancel()


async def test_of_what_came_while_it_was_reading_only_the_newest_is_read() -> None:
    call = Call()
    async with asyncio.timeout(GUARD_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(call.preparation.run())
        await call.asked()
        for words in ("what", "what time", "what time is"):
            call.heard(words, len(words))
        call.reader.may_go_on.release()
        assert await call.asked() == [SYSTEM, Message("user", "what time is")]
        running.cancel()
    assert call.reader.asked.empty()


async def test_unstable_and_final_words_are_not_read() -> None:
    call = Call()
    async with asyncio.timeout(GUARD_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(call.preparation.run())
        await call.asked()
        call.reader.may_go_on.release()
        call.heard("what", 0)
        call.heard("what time", 9, is_final=True)
        call.heard("what time is it", 4)
        assert (await call.asked())[-1] == Message("user", "what")
        running.cancel()


async def test_an_engine_that_cannot_read_ahead_now_is_asked_again_later() -> None:
    call = Call()
    call.reader.fails = True
    async with asyncio.timeout(GUARD_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(call.preparation.run())
        await call.asked()
        call.heard("hello there", 5)
        assert (await call.asked())[-1] == Message("user", "hello")
        running.cancel()


async def test_nothing_is_read_ahead_while_the_machine_is_busy() -> None:
    call = Call()
    async with asyncio.timeout(GUARD_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(call.preparation.run())
        await call.asked()
        call.reader.may_go_on.release()
        call.shedding.feed(cpu_percent=71, memory_percent=0)
        call.heard("what time", 4)
        await settle()
        assert call.reader.asked.empty()
        call.shedding.feed(cpu_percent=70, memory_percent=0)
        call.heard("what time is", 9)
        assert (await call.asked())[-1] == Message("user", "what time")
        running.cancel()


async def test_another_engine_reads_from_the_beginning_and_the_old_one_no_more() -> None:
    call = Call()
    other = Reader()
    async with asyncio.timeout(GUARD_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(call.preparation.run())
        assert await call.asked() == [SYSTEM]  # and is not let go on
        old = call.source.now
        call.source.now = replace(old, llm=other)
        call.preparation.begin_anew()
        assert list(await other.asked.get()) == [SYSTEM]
        assert not call.source.users[id(old)]
        running.cancel()


async def test_an_engine_that_reads_for_ever_is_let_go() -> None:
    call = Call(limit_s=0.01)
    async with asyncio.timeout(GUARD_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(call.preparation.run())
        assert await call.asked() == [SYSTEM]
        call.heard("what time is it", len("what time"))
        assert [message.content for message in await call.asked()][1:] == ["what time"]
        running.cancel()


async def test_words_that_are_refused_are_not_read_ahead() -> None:
    call = Call()
    async with asyncio.timeout(GUARD_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(call.preparation.run())
        await call.asked()
        call.reader.may_go_on.release()
        call.history.add_user("tell me how to")
        call.heard("kill someone now", len("kill someone"))
        await settle()
        assert call.reader.asked.empty()
        running.cancel()
