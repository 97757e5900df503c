"""What the adaptors of speech servers add to the server's first byte, and how soon they let go.

The server is ours, on the loopback address, in a process of its own. It answers at once and writes
into its first samples when it did: `first byte` is from there to the first chunk. `first chunk` is
from the call, the server's work (which is none) included. `close` is what closing a speech takes in
its midst, `server told` how long after it began the server sees its connection go.

Between an engine and a call lies the boundary of its process, which is not in these figures.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import multiprocessing
import struct
import time
from collections.abc import Callable
from contextlib import aclosing
from multiprocessing.connection import Connection
from typing import Any

from aiohttp import web

from benchmarks.figures import Figures
from inzwa_rtc.engines.contracts import SpeechRequest
from inzwa_rtc.engines.tts.alltalk import AllTalk
from inzwa_rtc.engines.tts.elevenlabs.engine import ElevenLabs
from inzwa_rtc.engines.tts.openai import OpenAISpeech

_RATE = 24_000
_FIRST = bytes(2 * _RATE * 40 // 1000)
_WAV = b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + struct.pack(
    "<IHHIIHH", 16, 1, 1, _RATE, 2 * _RATE, 2, 16
) + b"data" + struct.pack("<I", 0)  # fmt: skip
_VOICE = "21m00Tcm4TlvDq8ikWAM"
_REQUEST = SpeechRequest("The river listens and the wind in the reeds answers slowly.")


def _stamped() -> bytes:
    """The first 40 ms of a speech, with the time in it."""
    return struct.pack("<q", time.monotonic_ns()) + _FIRST[8:]


class _Server:
    """Begins to speak at once, and never ends."""

    def __init__(self, left: Connection) -> None:
        self._left = left

    async def stream(self, request: web.Request) -> web.StreamResponse:
        write: Callable[[bytes], bytes] = bytes
        if request.path.endswith("with-timestamps"):
            write = lambda pcm: _line(pcm, "audio_base64") + b"\n"  # noqa: E731
        elif request.path.startswith("/api/"):
            write = lambda pcm: _WAV + pcm  # noqa: E731
        response = web.StreamResponse()
        await request.read()
        await response.prepare(request)
        try:
            await response.write(write(_stamped()))
            await asyncio.Event().wait()
        finally:
            self._left.send(time.monotonic_ns())
        return response

    async def socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        try:
            async for message in socket:
                if json.loads(message.data)["text"] == "":
                    await socket.send_str(_line(_stamped(), "audio").decode())
        finally:
            self._left.send(time.monotonic_ns())
        return socket

    async def stop(self, request: web.Request) -> web.Response:
        return web.json_response({})


def _line(pcm: bytes, member: str) -> bytes:
    return json.dumps({member: base64.b64encode(pcm).decode()}).encode()


def _serve(port: Connection, left: Connection) -> None:
    async def run() -> None:
        server = _Server(left)
        app = web.Application()
        app.router.add_put("/api/stop-generation", server.stop)
        app.router.add_get("/v1/text-to-speech/{voice}/stream-input", server.socket)
        app.router.add_route("*", "/{path:.*}", server.stream)
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(run())


def _engines(url: str) -> dict[str, Any]:
    common = {"check_at_start": False}
    elevenlabs = {**common, "base_url": url, "api_key": "key", "voice": _VOICE}
    made: list[tuple[str, Any, dict[str, Any]]] = [
        ("openai pcm", OpenAISpeech, {**common, "base_url": f"{url}/v1", "model": "m"}),
        ("elevenlabs timestamps", ElevenLabs, elevenlabs),
        ("elevenlabs stream", ElevenLabs, {**elevenlabs, "word_times": False}),
        ("elevenlabs websocket", ElevenLabs, {**elevenlabs, "transport": "websocket"}),
        ("alltalk", AllTalk, {**common, "base_url": url}),
    ]
    return {name: one(one.Options.model_validate(options)) for name, one, options in made}


async def _measure(url: str, left: Connection, times: int) -> Figures:
    figures = Figures()
    loop = asyncio.get_running_loop()
    for name, engine in _engines(url).items():
        for number in range(times + 1):
            asked = time.monotonic_ns()
            async with aclosing(engine.synthesize(_REQUEST)) as chunks:
                first = await anext(chunks)
                came = time.monotonic_ns()
            closed = time.monotonic_ns()
            seen = await loop.run_in_executor(None, left.recv)
            if not number:
                continue  # opens the connection pool, imports what is imported late
            (sent,) = struct.unpack_from("<q", first.pcm)
            figures[f"{name}: first byte"].add((came - sent) / 1e6)
            figures[f"{name}: first chunk"].add((came - asked) / 1e6)
            figures[f"{name}: close"].add((closed - came) / 1e6)
            figures[f"{name}: server told"].add((seen - came) / 1e6)
        await engine.aclose()
    return figures


def run(times: int) -> Figures:
    """Each adaptor so many times."""
    processes = multiprocessing.get_context("spawn")
    port, told_port = processes.Pipe(duplex=False)
    left, told_left = processes.Pipe(duplex=False)
    server = processes.Process(target=_serve, args=(told_port, told_left), daemon=True)
    server.start()
    try:
        return asyncio.run(_measure(f"http://127.0.0.1:{port.recv()}", left, times))
    finally:
        server.terminate()
        server.join()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=200, help="speeches of each adaptor")
    parser.add_argument("--json", action="store_true", help="JSON, with all samples")
    given = parser.parse_args()
    print(run(given.times).show(given.json))  # noqa: T201


if __name__ == "__main__":
    main()
