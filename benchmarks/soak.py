"""Whether calls leave something behind: memory, files and threads over many short calls.

    python -m benchmarks.soak [--calls 500] [--at-once 4] [--held 0] [--config FILE] [--json]

Every other call is over a WebSocket. Each is told its start, says one thing, and hangs up as soon
as the answer begins; one in ten vanishes without a word and is not waited for. The server's
memory is read when no call is up but those that are held throughout; where none is, after the
server has given back what calls held. Its slope is the median of the slopes between any two
readings (Theil-Sen), which no single jump moves; the first fifth of the calls is warm-up and left
out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from itertools import combinations
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import yaml
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from benchmarks import server
from benchmarks.figures import Figures, Machine

READINGS = 60
PATIENCE_S = 90.0
TIDIED_S = 1.5  # after the last call
VANISH_OF = 20  # two of so many do: one of each kind
WARM_UP = 0.2
_OURS: Mapping[str, Mapping[str, Any]] = {
    "resume": {"lost_s": 0, "closed_s": 0},
    "timeouts": {"network_silence": 10},  # callers without a microphone answer checks every 5 s
    "call": {"idle_prompts": 0, "idle_limit_s": 36_000, "max_length_s": 36_000},  # of those held
    "access": {"calls_per_minute": 0, "requests_per_minute": 0},
    # What calls leave behind is counted, not how many there may be.
    "load": {"full_cpu_percent": 100, "full_late_ms": 10_000},
}


async def measure(calls: int, at_once: int, held: int, config: Path) -> Figures:
    """All calls on one server, with so many held throughout."""
    figures = Figures()
    async with (
        server.inzwa(config) as running,
        aiohttp.ClientSession() as http,
        AsyncExitStack() as throughout,
    ):
        for _ in range(held):
            ws = await throughout.enter_async_context(http.ws_connect(f"{running.url}/v1/ws"))
            await ws.send_json({"type": "start"})
            await ws.receive_json()
        machine, began_s = Machine(), running.cpu_s()
        readings: list[tuple[int, float, float]] = []  # calls so far, hours, bytes
        loop = asyncio.get_running_loop()
        since, done, step = loop.time(), 0, max(at_once, calls // READINGS)
        while done < calls:
            together = asyncio.Semaphore(at_once)
            batch = range(done, min(calls, done + step))
            async with asyncio.TaskGroup() as tasks:
                for number in batch:
                    tasks.create_task(_call(number, http, running.url, together))
            done = batch.stop
            await _left(held, http, running.url)
            if not held:
                await asyncio.sleep(TIDIED_S)
            hours = (loop.time() - since) / 3600
            readings.append((done, hours, float(running.process.memory_info().rss)))
            figures.in_unit("files", "open files").add(running.process.num_fds())
            figures.in_unit("threads", "threads").add(running.process.num_threads())
        machine.count(running.cpu_s() - began_s)
    kept = [reading for reading in readings if reading[0] > calls * WARM_UP]
    for _, _, size in kept:
        figures.in_unit("MiB", "memory").add(size / 1024**2)
    per_call = slope([(count, size) for count, _, size in kept])
    per_hour = slope([(hours, size) for _, hours, size in kept])
    figures.notes.append(f"memory per call: {per_call / 1024:.2f} KiB ({len(kept)} readings)")
    figures.notes.append(f"memory per hour at this pace: {per_hour / 1024**2:.2f} MiB")
    figures.notes.append(machine.note())
    return figures


def slope(points: list[tuple[float, float]]) -> float:
    """The median of the slopes between any two points (Theil 1950, Sen 1968)."""
    slopes = [(y - b) / (x - a) for (a, b), (x, y) in combinations(points, 2) if x != a]
    return float(np.median(slopes)) if slopes else 0.0


def joined(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The operator's settings with ours in their groups, which win."""
    changed = dict(settings)
    for group, ours in _OURS.items():
        changed[group] = {**(settings.get(group) or {}), **ours}
    return changed


async def _call(
    number: int, http: aiohttp.ClientSession, url: str, together: asyncio.Semaphore
) -> None:
    vanishes = number % VANISH_OF >= VANISH_OF - 2
    hold = over_socket if number % 2 else _over_webrtc
    async with together, asyncio.timeout(PATIENCE_S):
        await hold(http, url, vanishes)


async def over_socket(http: aiohttp.ClientSession, url: str, vanishes: bool) -> None:
    """One call. Raises `RuntimeError` where it is ended before it was answered."""
    async with http.ws_connect(f"{url}/v1/ws") as ws:
        await ws.send_json({"type": "start"})
        await ws.send_json({"type": "text", "text": "hello"})
        async for message in ws:
            if message.type != aiohttp.WSMsgType.TEXT:
                continue
            if json.loads(message.data)["type"] == "tts.start":
                if vanishes:
                    connection = ws._response.connection
                    if connection is not None and connection.transport is not None:
                        connection.transport.abort()
                    return
                await ws.send_json({"type": "stop"})
                break
        else:
            raise RuntimeError(f"the socket was closed before an answer, with {ws.close_code}")
        async for _ in ws:
            pass  # until it takes leave


async def _over_webrtc(http: aiohttp.ClientSession, url: str, vanishes: bool) -> None:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    sounds, over = asyncio.Event(), asyncio.Event()

    def told(message: str) -> None:
        kind = json.loads(message)["type"]
        if kind == "session.started":
            channel.send(json.dumps({"type": "text", "text": "hello"}))
        elif kind == "tts.start":
            sounds.set()
        elif kind == "session.ended":
            over.set()

    channel = pc.createDataChannel("inzwa")
    channel.on("message", told)
    line = pc.addTransceiver("audio")
    try:
        await pc.setLocalDescription(await pc.createOffer())
        offer = {"sdp": pc.localDescription.sdp, "type": "offer"}
        async with http.post(f"{url}/v1/calls", json=offer) as response:
            answer = await response.json()
        await pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
        await sounds.wait()
        if vanishes:
            connection: Any = line.sender.transport.transport._connection
            for protocol in connection._protocols:
                protocol.transport.sendto = protocol.datagram_received = _lost
            return
        channel.send(json.dumps({"type": "stop"}))
        await over.wait()
    finally:
        await pc.close()


def _lost(*_: object) -> None:
    """Where everything goes of a caller who vanishes, a farewell included."""


async def _left(held: int, http: aiohttp.ClientSession, url: str) -> None:
    """Return once no other calls are up."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with http.get(f"{url}/metrics") as response:
                text = await response.text()
            lines = [line for line in text.splitlines() if line.startswith("inzwa_calls{")]
            if sum(float(line.rpartition(" ")[2]) for line in lines) <= held:
                return
            await asyncio.sleep(0.1)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--at-once", type=int, default=4, help="so many are up together")
    parser.add_argument("--held", type=int, default=0, help="so many more are up throughout")
    parser.add_argument("--config", type=Path, help="the server's settings (YAML)")
    parser.add_argument("--json", action="store_true", help="JSON, with all samples")
    given = parser.parse_args()
    settings = yaml.safe_load(given.config.read_text(encoding="utf-8")) if given.config else None
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "soak.yaml"
        config.write_text(yaml.safe_dump(joined(settings or {})), encoding="utf-8")
        figures = asyncio.run(measure(given.calls, given.at_once, given.held, config))
    print(figures.show(given.json))  # noqa: T201


if __name__ == "__main__":
    main()
