"""Engines on a server keep the contracts too; the server is one that behaves."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest

from inzwa_rtc.engines.contracts import RecognizeRequest
from tests.engines.contract import asr, llm
from tests.engines.remote.asking import Make, said
from tests.engines.remote.fake_server import FakeServer
from tests.engines.remote.obliging import (
    CONTEXT,
    ollama_chat,
    openai_chat,
    openai_transcription,
)


class TestOpenAIChat(llm.LanguageModelContract):
    @pytest.fixture
    def subject(self, chat: Make, server: FakeServer) -> llm.Subject:
        server.will(openai_chat)
        return llm.Subject(two_at_a_time(chat), context=CONTEXT)


class TestOllama(llm.LanguageModelContract):
    @pytest.fixture
    def subject(self, ollama: Make, server: FakeServer) -> llm.Subject:
        server.will(ollama_chat)
        return llm.Subject(two_at_a_time(ollama), context=CONTEXT)


class TestOpenAITranscription(asr.RecognizerContract):
    @pytest.fixture
    def subject(self, transcription: Make, server: FakeServer) -> asr.Subject:
        server.will(openai_transcription)
        return asr.Subject(
            two_at_a_time(transcription), asr.noise(2), streaming={"partial_ms": 300}
        )


def two_at_a_time(make: Make) -> Make:
    def engine(**options: Any) -> Any:
        return make(**{"max_concurrent": 2, **options})

    return engine


async def test_closing_lets_the_connections_go(
    chat: Make, ollama: Make, transcription: Make, server: FakeServer
) -> None:
    """What they hold at the server, a local engine holds in memory."""
    for make, behaviour in ((chat, openai_chat), (ollama, ollama_chat)):
        server.will(behaviour)
        await used(server, engine := make(), said(engine))
    server.will(openai_transcription)
    engine = transcription()
    await used(server, engine, asr.heard(engine, asr.noise(1), RecognizeRequest("en")))


async def used(server: FakeServer, engine: Any, use: Awaitable[object]) -> None:
    """Let it do its work, then close it."""
    await use
    assert server.open_connections == 1
    engine.close()
    await server.until_closed()
