"""What no honest client sends over a WebSocket is refused or costs nothing, and a live call
beside it goes on."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import WSMsgType

from inzwa_rtc.conversation.dictation import Dictation
from tests.support.credentials import Keys, serving_with_keys
from tests.support.engines import ScriptedModel
from tests.support.raw_socket import BINARY, FIN, RSV1, TEXT, RawSocket, frame, message, raw_socket
from tests.support.server import Serving

PATHS = pytest.mark.parametrize("path", ["/v1/ws", "/ws/stt"])
STAGES = pytest.mark.parametrize("stage", ["before it is said who calls", "in the midst of it"])

_ZEROS = zlib.compressobj(wbits=-15)
DEFLATED = b"".join(_ZEROS.compress(bytes(1_000_000)) for _ in range(200)) + _ZEROS.flush()
FRAGMENTS = 200_000
FRAME = bytes(65_536)


@asynccontextmanager
async def beside_a_live_call() -> AsyncIterator[tuple[Serving, Keys]]:
    """A server that asks who calls, and a call on it that answers at the end as it should. No
    other call is left by then."""
    llm = ScriptedModel("Before.", "After.")
    soon = {"lost_s": 2, "closed_s": 2}
    async with serving_with_keys(None, llm, call={"greeting": ""}, resume=soon) as (
        server,
        keys,
        http,
    ):
        async with http.ws_connect(f"{server.url}/v1/ws") as ws:
            await ws.send_json({"type": "start", "auth": keys.call})
            assert await answer(ws) == "Before."
            yield server, keys
            assert await answer(ws) == "After."
        async with asyncio.timeout(20):
            await server.calls.all_ended()


async def answer(ws: aiohttp.ClientWebSocketResponse) -> str:
    """What is answered aloud to a typed message."""
    await ws.send_json({"type": "text", "text": "Are you there?"})
    text = ""
    async with asyncio.timeout(30):
        async for one in ws:
            if one.type == WSMsgType.TEXT:
                event = json.loads(one.data)
                if event["type"] == "llm.final":
                    text = event["text"].strip()
                if event["type"] == "tts.end":
                    return text
    raise AssertionError("the call has ended")


@asynccontextmanager
async def attacking(path: str, stage: str) -> AsyncIterator[tuple[RawSocket, Serving]]:
    """A socket of somebody who may do anything."""
    async with beside_a_live_call() as (server, keys):
        async with raw_socket(server.url, path) as one:
            assert one.status == 101
            if stage != "before it is said who calls":
                await one.send(message(type="start", auth=keys.call))
                await one.send(message(type="dance"))  # it has begun when this was answered
                await one.read_until("error")
            yield one, server


@PATHS
@STAGES
async def test_a_frame_of_200_mb_in_194_kb_is_not_unpacked(path: str, stage: str) -> None:
    assert 190_000 < len(DEFLATED) < 200_000
    async with attacking(path, stage) as (one, _):
        await one.send(frame(BINARY, DEFLATED, FIN | RSV1))
        assert await one.closed() in (1002, 1009, None)


@PATHS
@STAGES
async def test_a_frame_that_claims_2_to_the_62_bytes_is_refused_at_once(
    path: str, stage: str
) -> None:
    async with attacking(path, stage) as (one, _):
        await one.send(frame(BINARY, b"\0" * 100, length=1 << 62))
        assert await one.closed() in (1002, 1009, None)


@PATHS
@STAGES
async def test_two_hundred_thousand_empty_fragments_are_one_empty_message(
    path: str, stage: str
) -> None:
    async with attacking(path, stage) as (one, _):
        await one.send(frame(BINARY, bits=0) + frame(0, bits=0) * FRAGMENTS)
        await one.send(frame(0))
        if stage == "before it is said who calls":
            assert await one.closed() == 1008
            assert one.told[-1]["code"] == "not_started"
        else:
            await one.send(message(type="stop"))
            assert await one.closed() == 1000


@PATHS
async def test_fragments_that_are_together_too_long_are_refused(path: str) -> None:
    async with attacking(path, "in the midst of it") as (one, _):
        await one.send(frame(BINARY, FRAME[:60_000], bits=0) + frame(0, FRAME[:60_000]))
        assert await one.closed() in (1009, None)


@PATHS
async def test_one_byte_frames_end_in_a_close(path: str) -> None:
    async with attacking(path, "in the midst of it") as (one, _):
        await one.send(frame(BINARY, b"\0") * 10_000)
        assert await one.closed() in (1000, 1008, None)
        assert "odd_audio" in {told.get("code") for told in one.told}


@PATHS
async def test_two_byte_frames_without_end_are_audio_like_any_other(path: str) -> None:
    async with attacking(path, "in the midst of it") as (one, _):
        await one.send(frame(BINARY, b"\0\0") * 50_000)
        await one.send(message(type="stop"))
        assert await one.closed() == 1000


@PATHS
async def test_audio_at_a_hundred_times_its_pace_is_bounded(path: str) -> None:
    async with attacking(path, "in the midst of it") as (one, server):
        _, attacked = server.calls._calls.values()
        for _ in range(100):  # 205 s of audio
            await one.send(frame(BINARY, FRAME))
        if path == "/ws/stt":
            await one.read_until("buffer_limit_reached")
            assert isinstance(attacked.session, Dictation)
            assert attacked.session.waiting_s <= 120.0
        await one.send(message(type="dance"))
        await one.read_until("error")  # everything before it was taken, or was not


@PATHS
@pytest.mark.parametrize("data", [FRAME, b"\0", b""])
async def test_audio_before_it_is_said_who_calls_is_refused(path: str, data: bytes) -> None:
    async with attacking(path, "before it is said who calls") as (one, server):
        await one.send(frame(BINARY, data))
        assert await one.closed() == 1008
        assert one.told[-1]["code"] == "not_started"
        assert len(server.calls) == 1


@PATHS
@STAGES
async def test_text_that_is_not_utf_8_closes_the_socket(path: str, stage: str) -> None:
    async with attacking(path, stage) as (one, _):
        await one.send(frame(TEXT, b'{"type":"start","auth":"\xed\xa0\x80"}'))
        assert await one.closed() in (1007, None)


@PATHS
async def test_half_a_character_in_json_is_refused(path: str) -> None:
    async with attacking(path, "before it is said who calls") as (one, _):
        await one.send(frame(TEXT, b'{"type":"start","auth":"\\ud800"}'))
        assert await one.closed() == 1008
        assert one.told[-1]["type"] == "error"


@PATHS
async def test_half_a_character_within_a_call_is_told(path: str) -> None:
    async with attacking(path, "in the midst of it") as (one, _):
        await one.send(frame(TEXT, b'{"type":"\\ud800"}'))
        assert (await one.read_until("error"))["code"] == "bad_message"


@PATHS
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "file://"]
)
async def test_pages_of_other_sites_are_refused_before_the_upgrade(path: str, origin: str) -> None:
    async with beside_a_live_call() as (server, keys):
        headers = {"Origin": origin, "Authorization": f"Bearer {keys.call}"}
        async with raw_socket(server.url, path, **headers) as one:
            assert one.status == 403
        assert len(server.calls) == 1


@PATHS
async def test_a_wrong_key_is_refused(path: str) -> None:
    async with attacking(path, "before it is said who calls") as (one, server):
        await one.send(message(type="start", auth="inzwa_" + "a" * 12 + "_" + "a" * 43))
        assert await one.closed() == 1008
        assert one.told[-1]["code"] == "key_unknown"
        assert len(server.calls) == 1
