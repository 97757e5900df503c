"""Served speech as a call has it: in processes of their own, one standing in for another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from inzwa_rtc.engines.client import SynthesizerClient
from inzwa_rtc.engines.contracts import Speaker
from inzwa_rtc.engines.fallback_speech import FallbackSynthesizer
from inzwa_rtc.engines.launch import Launch
from inzwa_rtc.engines.process import EngineProcess
from inzwa_rtc.engines.registry import EngineSpec
from inzwa_rtc.engines.supervised import supervised
from tests.engines.contract.test_remote_tts import Apart
from tests.engines.remote.asking import Make
from tests.engines.remote.fake_server import Behaviour, FakeServer, answers, hangs
from tests.engines.remote.speaking import (
    REQUEST,
    VOICE_IDS,
    openai_speech,
    speech,
    spoken,
)
from tests.engines.remote.speaking import alltalk as talk
from tests.engines.remote.speaking import elevenlabs as eleven

CLASSES = {
    "openai": "inzwa_rtc.engines.tts.openai:OpenAISpeech",
    "elevenlabs": "inzwa_rtc.engines.tts.elevenlabs.engine:ElevenLabs",
    "alltalk": "inzwa_rtc.engines.tts.alltalk:AllTalk",
}


@asynccontextmanager
async def running(name: str, **options: Any) -> AsyncGenerator[EngineProcess, None]:
    process = EngineProcess(Launch(spec=EngineSpec("tts", name, CLASSES[name]), options=options))
    async with asyncio.timeout(60), supervised([process]):
        yield process


async def test_speech_and_its_words_cross_both_boundaries() -> None:
    server = Apart(eleven)
    try:
        async with running("elevenlabs", base_url=server.url, api_key="key") as process:
            client = SynthesizerClient(process)
            chunks = await speech(client)
            assert client.max_chars == 40_000
            assert [voice.id for voice in client.voices] == list(VOICE_IDS)
    finally:
        server.close()
    words = [word for chunk in chunks for word in chunk.words]
    assert len(words) == len(REQUEST.text.split())
    assert not any(word.is_estimated for word in words)


async def test_who_speaks_is_another_once_the_default_voice_is() -> None:
    """The engine's own fingerprint does not tell it, and requests need not name a voice."""
    told: list[Speaker] = []
    for voices in (["alloy", "nova"], ["nova", "alloy"], ["alloy", "nova", "echo"]):
        options = {"base_url": "http://127.0.0.1:1/v1", "model": "tiny", "check_at_start": False}
        async with running("openai", voices=voices, **options) as process:
            client = SynthesizerClient(process)
            alone = client.speaker(None, "en")
            chain = FallbackSynthesizer([("first", client)], first_audio_s=10)
            assert chain.speaker(None, "en") == replace(alone, engine="first")
            assert alone.fingerprint.startswith(client.fingerprint)
            told.append(alone)
    assert told[0] != told[1]
    assert told[0] == told[2]


@pytest.mark.parametrize(
    "trouble",
    [
        answers({"detail": {"status": "quota_exceeded"}}, 401),
        answers({}, 402),
        answers({}, 401),
        answers({}, 500),
        answers("<html>", 200, "text/html"),
        hangs,
    ],
    ids=["quota", "402", "401", "500", "html", "hang"],
)
async def test_another_engine_speaks_for_one_whose_server_does_not(
    elevenlabs: Make, openai_voice: Make, server: FakeServer, trouble: Behaviour
) -> None:
    async with FakeServer().running() as other:
        server.will(trouble)
        other.will(openai_speech)
        engines = [
            ("elevenlabs", elevenlabs()),
            ("openai", openai_voice(base_url=f"{other.url}/v1")),
        ]
        speaker = FallbackSynthesizer(engines, first_audio_s=1)
        assert await spoken(speaker)
        assert len(other.asked) == 1
    assert server.asked


async def test_a_server_that_fails_often_is_left_alone(
    elevenlabs: Make, openai_voice: Make, server: FakeServer
) -> None:
    async with FakeServer().running() as other:
        server.will(answers({}, 402))
        other.will(openai_speech)
        engines = [
            ("elevenlabs", elevenlabs()),
            ("openai", openai_voice(base_url=f"{other.url}/v1")),
        ]
        speaker = FallbackSynthesizer(engines, first_audio_s=10)
        for _ in range(8):
            assert await spoken(speaker)
        assert speaker.chain.states()["elevenlabs"] == "open"
        assert len(server.asked) < 8


@pytest.mark.parametrize(
    ("name", "trouble"),
    [
        ("alltalk", answers({"detail": "Streaming not supported by current TTS engine"}, 400)),
        ("elevenlabs", answers({"detail": "Not Found"}, 404)),
    ],
)
async def test_a_server_that_is_set_up_wrongly_is_left_alone(
    elevenlabs: Make,
    alltalk: Make,
    openai_voice: Make,
    server: FakeServer,
    name: str,
    trouble: Behaviour,
) -> None:
    async with FakeServer().running() as other:
        server.will(trouble)
        other.will(openai_speech)
        wrong = {"elevenlabs": elevenlabs, "alltalk": alltalk}[name]()
        engines = [(name, wrong), ("openai", openai_voice(base_url=f"{other.url}/v1"))]
        speaker = FallbackSynthesizer(engines, first_audio_s=10)
        for _ in range(8):
            assert await spoken(speaker)
        assert speaker.states()[name] == "open"
        assert len(server.asked) < 8


@pytest.mark.parametrize("name", ["openai", "elevenlabs", "alltalk"])
async def test_speeches_share_a_connection_and_closing_lets_it_go(
    openai_voice: Make, elevenlabs: Make, alltalk: Make, server: FakeServer, name: str
) -> None:
    make = {"openai": openai_voice, "elevenlabs": elevenlabs, "alltalk": alltalk}[name]
    server.will({"openai": openai_speech, "elevenlabs": eleven, "alltalk": talk}[name])
    engine = make()
    for _ in range(3):
        assert await spoken(engine)
    assert (server.connections, server.open_connections) == (1, 1)
    engine.close()
    await server.until_closed()
