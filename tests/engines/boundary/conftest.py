"""Real engine processes; `asyncio.timeout` only guards against a hang of the test."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from inzwa_rtc.engines.client import LanguageModelClient, RecognizerClient, SynthesizerClient
from inzwa_rtc.engines.contracts import (
    EngineKind,
    Message,
    RecognizeRequest,
    ReplyRequest,
    SpeechRequest,
    TokenChunk,
)
from inzwa_rtc.engines.launch import Launch
from inzwa_rtc.engines.process import EngineProcess
from inzwa_rtc.engines.registry import KINDS, Chosen, EngineSpec
from inzwa_rtc.engines.supervised import supervised
from tests.engines.boundary.exchanging import Named

_CLASSES: dict[EngineKind, str] = {"asr": "Listener", "llm": "Talker", "tts": "Speaker"}


class Boundary:
    """Makes processes of the test engines, and asks them things."""

    guard_s = 60.0

    def spec(self, kind: EngineKind) -> EngineSpec:
        return EngineSpec(kind, f"test-{kind}", f"boundary_engines:{_CLASSES[kind]}", "test-engine")

    def process(
        self, kind: EngineKind, *, start_timeout_s: float = 60.0, **launch: Any
    ) -> EngineProcess:
        """One that is yet to be started; `launch` are members of `Launch`."""
        told = Launch(**{"spec": self.spec(kind), "options": {}, **launch})
        return EngineProcess(told, start_timeout_s=start_timeout_s)

    @asynccontextmanager
    async def running(self, kind: EngineKind, **launch: Any) -> AsyncIterator[EngineProcess]:
        """One that runs and is watched while the block does."""
        process = self.process(kind, **launch)
        async with supervised([process]):
            yield process

    def request(self, text: str) -> ReplyRequest:
        return ReplyRequest((Message("user", text),))

    async def reply(self, process: EngineProcess, text: str) -> str:
        chunks = LanguageModelClient(process).reply(self.request(text))
        async with asyncio.timeout(self.guard_s), aclosing(chunks):
            return "".join([c.token async for c in chunks if isinstance(c, TokenChunk)])

    def stream(self, process: EngineProcess) -> AsyncGenerator[Any, None]:
        """A stream that gives one chunk and then none, without end."""
        match process.spec.kind:
            case "asr":
                return RecognizerClient(process).recognize(silence(), RecognizeRequest("sn"))
            case "llm":
                return LanguageModelClient(process).reply(self.request("forever"))
            case "tts":
                return SynthesizerClient(process).synthesize(SpeechRequest("forever"))

    async def counts(self, process: EngineProcess) -> dict[str, int]:
        """What the engine counted; a stage's own way to be asked."""
        async with asyncio.timeout(self.guard_s):
            match process.spec.kind:
                case "asr":
                    request = RecognizeRequest("counts")
                    heard = RecognizerClient(process).recognize(silence(), request)
                    async with aclosing(heard):
                        text = "".join([chunk.text async for chunk in heard])
                case "llm":
                    text = await self.reply(process, "counts")
                case "tts":
                    spoken = SynthesizerClient(process).synthesize(SpeechRequest("counts"))
                    async with aclosing(spoken):
                        text = b"".join([chunk.pcm async for chunk in spoken]).decode()
        counts: dict[str, int] = json.loads(text)
        return counts

    async def until(
        self, condition: Callable[[dict[str, int]], bool], process: EngineProcess
    ) -> None:
        """Ask the engine for its counts until they are so."""
        async with asyncio.timeout(self.guard_s):
            while not condition(await self.counts(process)):
                pass


async def silence() -> AsyncIterator[bytes]:
    """A caller who stays on the line and says nothing."""
    await asyncio.Event().wait()
    yield b""


@pytest.fixture
def boundary(monkeypatch: pytest.MonkeyPatch) -> Boundary:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
    return Boundary()


@pytest.fixture
def named(boundary: Boundary, monkeypatch: pytest.MonkeyPatch) -> Named:
    """What the settings name; a test changes it."""
    engines: Named = {kind: (Chosen(boundary.spec(kind), {}),) for kind in KINDS}
    monkeypatch.setattr("inzwa_rtc.engines.lineup.chosen", lambda settings: dict(engines))
    return engines
