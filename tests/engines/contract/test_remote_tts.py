"""Speech engines on a server keep the contract too; the server is one that behaves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from typing import Any, ClassVar

import pytest

from inzwa_rtc.engines.tts.alltalk import AllTalk
from inzwa_rtc.engines.tts.elevenlabs.engine import ElevenLabs
from inzwa_rtc.engines.tts.openai import OpenAISpeech
from tests.engines.contract.tts import Subject, SynthesizerContract
from tests.engines.remote.fake_server import Behaviour, FakeServer
from tests.engines.remote.speaking import alltalk, elevenlabs, openai_speech

_TIMES = {"first_audio_timeout_s": 60, "next_audio_timeout_s": 60}


class Apart:
    """A server with a loop of its own, in a thread: an engine asks it before it has one."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.url = ""
        self._ready, self._over = threading.Event(), asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=lambda: self._loop.run_until_complete(self._run(behaviour))
        )
        self._thread.start()
        self._ready.wait()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        self._loop.close()

    async def _run(self, behaviour: Behaviour) -> None:
        async with FakeServer().running() as server:
            server.will(behaviour)
            self.url = server.url
            self._ready.set()
            await self._over.wait()


class ServedContract(SynthesizerContract):
    """What all of them have in common."""

    engine: ClassVar[Any]
    behaviour: ClassVar[tuple[Behaviour]]
    """In a tuple, so that it does not become a method."""
    path = ""
    options: ClassVar[dict[str, Any]] = {}
    is_exact = True

    @pytest.fixture
    async def subject(self) -> AsyncGenerator[Subject, None]:
        server = Apart(self.behaviour[0])
        engines = []

        def make(**options: Any) -> Any:
            url = f"{server.url}{self.path}"
            made = self.engine(
                self.engine.Options.model_validate(
                    {"base_url": url, "max_concurrent": 3, **_TIMES, **self.options, **options}
                )
            )
            engines.append(made)
            return made

        yield Subject(make, is_exact=self.is_exact, default=self.default)
        for made in engines:
            await made.aclose()
        server.close()

    @staticmethod
    def default(voice: str) -> dict[str, Any]:
        return {"voice": voice}


class TestOpenAI(ServedContract):
    engine = OpenAISpeech
    behaviour = (openai_speech,)
    path = "/v1"
    options: ClassVar[dict[str, Any]] = {"model": "tiny", "check_at_start": False}

    @staticmethod
    def default(voice: str) -> dict[str, Any]:
        return {"voices": [voice, "other"]}


class TestOpenAIAsMp3(TestOpenAI):
    options: ClassVar[dict[str, Any]] = {**TestOpenAI.options, "response_format": "mp3"}


class TestElevenLabs(ServedContract):
    engine = ElevenLabs
    behaviour = (elevenlabs,)
    options: ClassVar[dict[str, Any]] = {"api_key": "key", "voice": "George"}


class TestElevenLabsBySocket(TestElevenLabs):
    options: ClassVar[dict[str, Any]] = {**TestElevenLabs.options, "transport": "websocket"}


class TestAllTalk(ServedContract):
    engine = AllTalk
    behaviour = (alltalk,)
