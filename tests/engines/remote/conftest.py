"""Servers on loopback; `asyncio.timeout` only guards against a hang of the test."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from inzwa_rtc.engines.asr.openai import OpenAITranscription
from inzwa_rtc.engines.llm.ollama import Ollama
from inzwa_rtc.engines.llm.openai import OpenAIChat
from inzwa_rtc.engines.remote import retries
from inzwa_rtc.engines.tts.alltalk import AllTalk
from inzwa_rtc.engines.tts.elevenlabs.engine import ElevenLabs
from inzwa_rtc.engines.tts.openai import OpenAISpeech
from tests.engines.remote.asking import Make
from tests.engines.remote.clock import Clock
from tests.engines.remote.fake_server import FakeServer
from tests.engines.remote.speaking import VOICE_IDS

_STREAMING = {
    # Longer than any guard: where a test makes something hang, it sets them short.
    "first_token_timeout_s": 100,
    "next_token_timeout_s": 100,
}

_SPEAKING = {"first_audio_timeout_s": 100, "next_audio_timeout_s": 100}


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
async def server() -> AsyncGenerator[FakeServer, None]:
    async with FakeServer().running() as running:
        yield running


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where no server listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@pytest.fixture
def brief_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits between attempts; `test_policy` has how long a caller would."""
    monkeypatch.setattr(retries, "SHARE", 0.0001)


@pytest.fixture
async def chat(server: FakeServer, brief_pauses: None) -> AsyncGenerator[Make, None]:
    async with _making(OpenAIChat, base_url=f"{server.url}/v1", **_STREAMING) as make:
        yield make


@pytest.fixture
async def ollama(server: FakeServer, brief_pauses: None) -> AsyncGenerator[Make, None]:
    async with _making(Ollama, base_url=server.url, **_STREAMING) as make:
        yield make


@pytest.fixture
async def transcription(server: FakeServer, brief_pauses: None) -> AsyncGenerator[Make, None]:
    async with _making(OpenAITranscription, base_url=f"{server.url}/v1", timeout_s=100) as make:
        yield make


@pytest.fixture
async def openai_voice(server: FakeServer, brief_pauses: None) -> AsyncGenerator[Make, None]:
    async with _making(OpenAISpeech, base_url=f"{server.url}/v1", **_SPEAKING) as make:
        yield make


@pytest.fixture
async def elevenlabs(server: FakeServer, brief_pauses: None) -> AsyncGenerator[Make, None]:
    own = {"voice": VOICE_IDS[0], "api_key": "key", "model": "eleven_flash_v2_5"}
    async with _making(ElevenLabs, base_url=server.url, **own, **_SPEAKING) as make:
        yield make


@pytest.fixture
async def alltalk(server: FakeServer, brief_pauses: None) -> AsyncGenerator[Make, None]:
    async with _making(AllTalk, base_url=server.url, **_SPEAKING) as make:
        yield make


@asynccontextmanager
async def _making(engine_class: Any, **usual: Any) -> AsyncGenerator[Make, None]:
    engines = []

    def make(**options: Any) -> Any:
        options = {"model": "tiny", "check_at_start": False} | usual | options
        engines.append(engine_class(engine_class.Options.model_validate(options)))
        return engines[-1]

    yield make
    for engine in engines:
        await engine.aclose()
