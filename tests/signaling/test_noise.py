"""Each call has a noise suppressor of its own."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import aiohttp
import pytest

from inzwa_rtc.engines.contracts import NoiseSuppressor
from inzwa_rtc.noise import choice
from tests.support.server import serving


class Noted:
    """Leaves the audio and notes it."""

    def __init__(self) -> None:
        self.fed: list[bytes] = []

    def feed(self, pcm: bytes) -> bytes:
        self.fed.append(pcm)
        return pcm


async def test_calls_at_the_same_time_and_one_after_another_have_each_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Noted] = []

    def new() -> NoiseSuppressor:
        made.append(Noted())
        return made[-1]

    monkeypatch.setattr(choice, "chosen", lambda name: new if name == "webrtc" else None)
    settings = {"noise_suppression": "webrtc", "call": {"greeting": ""}}
    async with serving(**settings) as server, aiohttp.ClientSession() as http:
        for _ in range(2):
            async with AsyncExitStack() as calls:
                for mark in (b"\x01\x00", b"\x02\x00"):
                    ws = await calls.enter_async_context(http.ws_connect(f"{server.url}/v1/ws"))
                    await ws.send_json({"type": "start"})
                    await ws.send_bytes(mark * 320)
                    await ws.send_json({"type": "stop"})
                    while (await ws.receive_json())["type"] != "session.ended":
                        pass
            await server.calls.all_ended()
        marks = [{pcm[:2] for pcm in one.fed if any(pcm)} for one in made]
    assert marks == [{b"\x01\x00"}, {b"\x02\x00"}] * 2


class Broken:
    """Fails at the first frame."""

    def feed(self, pcm: bytes) -> bytes:
        raise RuntimeError("the library is gone")


async def test_a_suppressor_that_fails_ends_its_own_call_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    suppressors: list[NoiseSuppressor] = [Noted(), Broken()]
    monkeypatch.setattr(choice, "chosen", lambda name: suppressors.pop)
    async with serving(call={"greeting": ""}) as server, aiohttp.ClientSession() as http:
        async with (
            http.ws_connect(f"{server.url}/v1/ws") as bad,
            http.ws_connect(f"{server.url}/v1/ws") as good,
        ):
            for ws in (bad, good):
                await ws.send_json({"type": "start"})
                assert (await ws.receive_json())["type"] == "session.started"
            await bad.send_bytes(b"\x01\x00" * 320)
            async with asyncio.timeout(10):
                while not bad.closed:
                    await bad.receive()
            await good.send_bytes(b"\x01\x00" * 320)
            await good.send_json({"type": "stop"})
            while (told := await good.receive_json())["type"] != "session.ended":
                pass
        assert told["reason"] == "caller"
        assert len(server.calls.media.ear) == 0
