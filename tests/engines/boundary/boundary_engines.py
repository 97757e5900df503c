"""Small engines that behave well or badly as the request's text asks, for real processes.

Each counts what happened to it; the text `counts` is answered with the counts as JSON.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import logging
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import asdict
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from inzwa_rtc.engines.contracts import (
    RecognizeRequest,
    ReplyRequest,
    SpeechChunk,
    SpeechRequest,
    TokenChunk,
    ToolCall,
    TranscriptChunk,
    Usage,
    Voice,
    WordTime,
)
from inzwa_rtc.errors import EngineError


class EngineOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")

    volume: int = 3
    fail: str = ""
    fail_unless_missing: str = ""
    never_load: bool = False
    die_loading: bool = False
    warn_loading: str = ""
    niceness_to: str = ""  # a file that it writes its niceness to as it loads


class _Counted:
    Options = EngineOptions

    def __init__(self, options: EngineOptions) -> None:
        if options.fail:
            raise ValueError(options.fail)
        if options.fail_unless_missing and os.path.exists(options.fail_unless_missing):  # noqa: PTH110
            raise ValueError("still failing")
        if options.warn_loading:
            logging.getLogger("library").warning(options.warn_loading)
        if options.die_loading:
            os.kill(os.getpid(), signal.SIGKILL)
        if options.niceness_to:
            with open(options.niceness_to, "a") as file:  # noqa: PTH123
                file.write(f"{os.getpriority(os.PRIO_PROCESS, 0)}\n")
        if options.never_load:
            threading.Event().wait()
        self.options = options
        self.counts: Counter[str] = Counter()

    def close(self) -> None:
        pass


class ModelOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: str
    cpu_model: str
    adapters: dict[str, str]
    word: str


class Modelled:
    """Has models, and tells what it chose."""

    Options = ModelOptions

    def __init__(self, options: ModelOptions) -> None:
        self.options = options

    def close(self) -> None:
        pass


class Talker(_Counted):
    """A language model."""

    abilities: tuple[str, ...] = ("tools",)
    details: ClassVar = {"model": "small", "device": "cpu (no GPU found)", "event": "theirs"}

    async def reply(self, request: ReplyRequest) -> AsyncGenerator[TokenChunk | ToolCall, None]:
        text = request.messages[-1].content
        self.counts["asked"] += 1
        match text.partition(" ")[0]:
            case "counts":
                yield TokenChunk(json.dumps(self.counts))
            case "forever":
                try:
                    yield TokenChunk("first")
                    await asyncio.Event().wait()
                finally:
                    self.counts["stopped"] += 1
            case "flood":
                try:
                    while True:
                        self.counts["made"] += 1
                        yield TokenChunk("x" * 1024)
                        await asyncio.sleep(0)
                finally:
                    self.counts["stopped"] += 1
            case "fail":
                yield TokenChunk("first")
                raise ValueError(text)
            case "refuse":
                raise EngineError("Refused.", action="Ask nicely.", code="refused")
            case "print":
                print(text)  # noqa: T201
                print(text, file=sys.stderr)  # noqa: T201
                os.write(1, text.encode())
                os.write(2, text.encode())
                logging.getLogger("library").error(text)
                asyncio.get_running_loop().call_soon(_raise, text)
                await asyncio.sleep(0)
                yield TokenChunk("printed")
            case "exit":
                yield TokenChunk("first")
                os._exit(3)
            case "hold":
                yield TokenChunk("first")
                await asyncio.sleep(0.05)  # until that token has left
                ctypes.PyDLL(None).sleep(600)  # with the interpreter's lock held
            case "kept":
                yield TokenChunk(f"{gc.get_freeze_count()}")
            case "helper":
                helper = await asyncio.create_subprocess_exec("sleep", "600")
                yield TokenChunk(f"{helper.pid}")
            case "tool":
                yield ToolCall("hang_up", {"why": "goodbye"}, "call-1")
            case "asked":
                yield TokenChunk(json.dumps(asdict(request)), None, True, Usage(3, 1), "stop")
            case _:
                for word in text.splitlines(keepends=True):
                    yield TokenChunk(word, logprob=-0.5)
                yield TokenChunk("", is_final=True)


class ToollessTalker(Talker):
    """One that knows no tools."""

    abilities = ()


class Speaker(_Counted):
    """A synthesizer."""

    sample_rate = 8000
    voices = (Voice("anna", "Anna", "sn"), Voice("béla", "Béla", "hu", "male"))

    def __init__(self, options: EngineOptions) -> None:
        super().__init__(options)
        self.advancing = 0

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        if request.text == "counts":
            yield SpeechChunk(json.dumps(self.counts).encode())
        elif request.text == "forever":
            try:
                yield SpeechChunk(b"\1\0")
                await asyncio.Event().wait()
            finally:
                self.counts["stopped"] += 1
        elif request.text == "flood":
            while True:
                self.counts["made"] += 1
                yield SpeechChunk(bytes(16_000))
                await asyncio.sleep(0)
        elif request.text == "slow":
            for _ in range(5):
                self.advancing += 1
                self.counts["most"] = max(self.counts["most"], self.advancing)
                await asyncio.sleep(0.01)
                self.advancing -= 1
                yield SpeechChunk(b"\1\0")
        else:
            words = tuple(
                WordTime(request.text.index(word), len(word), 100 * number)
                for number, word in enumerate(request.text.split())
            )
            yield SpeechChunk(bytes(range(256)), words)


class Listener(_Counted):
    """A recogniser; the language of the request says how it behaves."""

    async def recognize(
        self, audio: AsyncIterator[bytes], request: RecognizeRequest
    ) -> AsyncGenerator[TranscriptChunk, None]:
        if request.language == "counts":
            yield _transcript(json.dumps(self.counts))
            return
        if request.language == "deaf":
            try:
                yield _transcript("listening")
                await asyncio.Event().wait()
            finally:
                self.counts["stopped"] += 1
        heard = 0
        yield _transcript("listening", is_final=False)
        try:
            async for piece in audio:
                heard += len(piece)
                self.counts["pieces"] += 1
                yield _transcript(f"{heard}", is_final=False)
        finally:
            self.counts["stopped"] += 1
        yield _transcript(f"ndinonzwa {heard} ő", language=request.language or "")


def _transcript(text: str, *, is_final: bool = True, language: str = "sn") -> TranscriptChunk:
    return TranscriptChunk(text, 0, 20, is_final, 0.5, language)


def _raise(text: str) -> None:
    raise ValueError(text)
