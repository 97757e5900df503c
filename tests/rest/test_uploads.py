"""What all clients together may be sending at a time."""

from __future__ import annotations

import asyncio
import base64
import json

import aiohttp
import pytest

from inzwa_rtc.errors import Unavailable
from signaling.api.uploads import Uploads
from tests.support.recordings import wav
from tests.support.server import serving

LIMITS = {"uploads": 3_000_000}
SOUND = json.dumps({"audio_base64": base64.b64encode(wav(bytes(3200))).decode()}).encode()


def test_no_more_than_that_is_read_but_one_alone_always_is() -> None:
    uploads = Uploads(100)
    with uploads.room(200):
        with pytest.raises(Unavailable), uploads.room(1):
            pass
    with uploads.room(60), uploads.room(40):
        with pytest.raises(Unavailable) as refused, uploads.room(1):
            pass
    assert (refused.value.code, refused.value.retry_after_s) == ("busy", 5)
    with uploads.room(100):
        pass


async def test_recordings_are_refused_before_they_are_read_while_others_are_sent() -> None:
    async with serving(limits=LIMITS) as server, aiohttp.ClientSession(server.url) as http:
        port = int(server.url.rpartition(":")[2])

        async def begun() -> asyncio.StreamWriter:
            """A recording of which only the first byte comes; returns once it is being read."""
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            head = (
                f"POST /v1/asr HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                "Content-Type: application/json\r\nExpect: 100-continue\r\n"
                "Content-Length: 2999000\r\n\r\n"
            )
            writer.write(head.encode())
            assert b"100" in await reader.readline()
            writer.write(b"{")
            return writer

        async def status(path: str) -> tuple[int, str | None]:
            form = aiohttp.FormData({"model": "whisper-1"})
            form.add_field("file", wav(bytes(3200)), filename="sound.wav")
            body = form if path != "/v1/asr" else SOUND
            kind = {"Content-Type": "application/json"} if path == "/v1/asr" else {}
            async with http.post(path, data=body, headers=kind) as response:
                return response.status, response.headers.get("Retry-After")

        writer = await begun()
        async with http.get("/v1/voices") as response:  # by now the other one waits for its body
            assert response.status == 200
        assert await status("/v1/asr") == (503, "5")
        assert await status("/v1/audio/transcriptions") == (503, "5")
        async with http.post("/v1/tts", json={"text": "hello"}) as response:
            assert response.status == 200
        writer.transport.abort()
        async with asyncio.timeout(10):
            while (await status("/v1/asr"))[0] == 503:
                pass
        assert (await status("/v1/audio/transcriptions"))[0] == 200
