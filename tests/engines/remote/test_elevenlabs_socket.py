"""ElevenLabs over a WebSocket."""

from __future__ import annotations

import asyncio
import base64

import pytest
from aiohttp import web

from inzwa_rtc.engines.contracts import SpeechRequest
from inzwa_rtc.errors import EngineTimeout
from tests.engines.remote import speaking
from tests.engines.remote.asking import Make
from tests.engines.remote.fake_server import Behaviour, FakeServer, answers, hangs
from tests.engines.remote.speaking import REQUEST, VOICE_IDS, error_of, sends, spoken, tone


def sound_of(ms: int) -> str:
    return base64.b64encode(tone(ms)).decode()


async def test_the_text_goes_out_as_it_is_to_be(elevenlabs: Make, server: FakeServer) -> None:
    server.will(speaking.elevenlabs)
    engine = elevenlabs(transport="websocket", stability=0.5)
    assert await spoken(engine, SpeechRequest("One two."))
    (asked,) = server.asked
    assert asked.path == f"/v1/text-to-speech/{VOICE_IDS[0]}/stream-input"
    assert asked.headers["xi-api-key"] == "key"
    assert asked.form["messages"] == [
        {"text": " ", "voice_settings": {"stability": 0.5}},
        {"text": "One two. ", "flush": True},
        {"text": ""},
    ]


@pytest.mark.parametrize(
    ("behaviour", "told", "attempts"),
    [
        (sends([]), "broke off", 3),
        (sends([], 1008), "check `tts.model`", 1),
        (sends([], 1011), "broke off", 3),
        (sends(["<html>"]), "is not an answer", 1),
        (sends(["[1]"]), "is not an answer", 1),
        (sends(["{}"]), "is not an answer", 1),
        (sends([{"audio": None, "isFinal": True}]), "empty", 3),
        (answers({}, 401), "tts.api_key", 1),
        (answers({}, 402), "balance", 1),
        (answers({}, 500), "500", 3),
        (answers("<html>", 200, "text/html"), "", 1),
        (answers("", 302, Location="http://elsewhere.example/"), "elsewhere.example (302", 1),
    ],
)
async def test_trouble_is_named(
    elevenlabs: Make, server: FakeServer, behaviour: Behaviour, told: str, attempts: int
) -> None:
    server.will(behaviour)
    assert told in str(await error_of(elevenlabs(transport="websocket")))
    assert len(server.asked) == attempts


async def test_a_redirect_is_not_followed_with_the_key(
    elevenlabs: Make, server: FakeServer
) -> None:
    """As aiohttp would do it."""
    async with FakeServer().running() as elsewhere:
        elsewhere.will(speaking.elevenlabs)
        server.will(answers("", 307, Location=f"{elsewhere.url}/v1/stream-input"))
        await error_of(elevenlabs(transport="websocket"))
        assert elsewhere.asked == []


async def test_a_cut_speech_is_an_error(elevenlabs: Make, server: FakeServer) -> None:
    server.will(sends([{"audio": sound_of(100)}], 1011))
    assert "broke off" in str(await error_of(elevenlabs(transport="websocket")))
    assert len(server.asked) == 1


async def test_silence_is_named(elevenlabs: Make, server: FakeServer) -> None:
    server.will(hangs)
    engine = elevenlabs(transport="websocket", first_audio_timeout_s=0.05)
    assert isinstance(await error_of(engine), EngineTimeout)
    await server.until_left()


async def test_leaving_closes_it(elevenlabs: Make, server: FakeServer) -> None:
    async def begins(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"audio": sound_of(100)})
        async for _ in socket:
            pass
        return socket

    server.will(begins)
    chunks = elevenlabs(transport="websocket").synthesize(REQUEST)
    async with asyncio.timeout(30):
        await anext(chunks)
        await chunks.aclose()
    await server.until_idle()
    await server.until_closed()
