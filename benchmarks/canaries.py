"""Calls and requests that are full of marked words, in every place where somebody may put some."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp

MARK = "canary"
"""A part of every marked word."""

KEY = "inzwa-canary-key-that-opens-nothing"
USER = "canary-user@canary.example"
TEXT = "My canarysecret number is 4111 1111 1111 1111 and canaryname is my name."
PIECE = 6400


@dataclass(slots=True)
class Canaries:
    """Sends them to the server at `url`; `key` opens it. `sound` is somebody who speaks, int16 mono
    at 16 kHz. `errors` are the bodies of refusals."""

    url: str
    key: str
    sound: bytes
    errors: list[str] = field(default_factory=list)
    sent: int = 0

    async def fly(self, rounds: int) -> None:
        """So many times everything: four calls and all requests."""
        pieces = [self.sound[at : at + PIECE] for at in range(0, len(self.sound), PIECE)]
        async with aiohttp.ClientSession(self.url, headers=self._headers()) as http:
            for _ in range(rounds):
                await self._call(http, [{"type": "text", "text": TEXT}], "tts.end")
                await self._call(http, [{"type": "start_turn"}, *pieces, {"type": "end_turn"}])
                await self._call(
                    http, [{"type": MARK, "text": TEXT}, {"type": "played", "samples": TEXT}]
                )
                await self._call(http, [{"type": "update", "voice": "canaryvoice"}])
                async for request in _requests():
                    await self._ask(http, **request)

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.key}",
            "X-Inzwa-User": USER,
            "X-Canary": TEXT,
            "traceparent": "00-canary-canary-01",
            "User-Agent": "canary-agent",
        }

    async def _call(
        self, http: aiohttp.ClientSession, messages: list[Any], until: str = ""
    ) -> None:
        """A call over a WebSocket in which these are sent, till such an event or an error."""
        self.sent += 1
        async with http.ws_connect("/v1/ws?canary=canary") as ws:
            await ws.send_json({"type": "start", "session_id": "canary-session"})
            for message in messages:
                if isinstance(message, bytes):
                    await ws.send_bytes(message)
                else:
                    await ws.send_json(message)
            ends = {until or "asr.final", "error", "session.ended"}
            async with asyncio.timeout(60):
                async for message in ws:
                    if message.type is not aiohttp.WSMsgType.TEXT:
                        continue
                    told = json.loads(message.data)
                    if told["type"] == "error":
                        self.errors.append(message.data)
                    if told["type"] in ends:
                        break
            with suppress(ConnectionError):  # some of them end their call
                await ws.send_json({"type": "stop"})

    async def _ask(self, http: aiohttp.ClientSession, method: str, path: str, **sent: Any) -> None:
        self.sent += 1
        async with http.request(method, path, **sent) as answer:
            body = await answer.text(errors="replace")
            if answer.status >= 400:
                self.errors.append(body)


async def _requests() -> AsyncIterator[dict[str, Any]]:
    def post(path: str, body: Any, **headers: str) -> dict[str, Any]:
        return {"method": "POST", "path": path, "json": body, "headers": headers}

    messages = [{"role": "user", "content": TEXT}]
    audio = base64.b64encode(b"canary" * 100).decode()
    yield post("/v1/tts", {"text": TEXT})
    yield post("/v1/tts", {"text": TEXT, "voice": "canaryvoice"})
    yield post("/v1/tts", {"text": TEXT, "speed": "canary"})
    yield post("/v1/chat", {"messages": messages})
    yield post("/v1/chat", {"messages": messages, "stream": True})
    yield post("/v1/asr", {"audio_base64": audio, "sample_rate": 16000, "language": "canary"})
    yield post("/v1/asr", {"audio_base64": f"not base64: {TEXT}"})
    yield post("/v1/audio/speech", {"model": MARK, "input": TEXT, "voice": MARK})
    yield post("/v1/chat/completions", {"model": MARK, "messages": messages})
    yield post("/v1/calls", {"sdp": f"v=0 {TEXT}", "type": "offer"})
    yield post("/v1/calls", {"sdp": TEXT}, Origin="http://canary.example")
    yield post("/v1/tokens", {"user": USER, "session": TEXT})
    yield post("/v1/tokens", {"session": {"voice": "canaryvoice"}})
    yield {"method": "POST", "path": "/v1/chat", "data": TEXT}
    yield {"method": "GET", "path": "/v1/calls/canary-call?canary=canary"}
    yield {"method": "DELETE", "path": "/v1/admin/calls/canary-call"}
    yield {"method": "GET", "path": "/canary/path?text=canarysecret"}
    yield {"method": "GET", "path": "/" + "canarylong" * 60}
    yield {"method": "GET", "path": "/style/" + "canarylong" * 60 + ".css"}
    yield {"method": "GET", "path": "/v1/admin/users/canary-user"}
    yield {"method": "GET", "path": "/v1/info", "headers": {"Authorization": f"Bearer {KEY}"}}
    yield {"method": "GET", "path": "/v1/admin/figures?minutes=canary"}
    yield post("/v1/tts", {"text": TEXT}, Authorization=f"Bearer {KEY}")


def hits(text: str) -> list[str]:
    """The lines with a marked word, cut to what is around it."""
    found = []
    for line in text.splitlines():
        at = line.lower().find(MARK)
        if at >= 0:
            found.append(line[max(0, at - 80) : at + 40])
    return found
