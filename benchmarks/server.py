"""Servers to be measured, each in its own process, with nobody else's settings."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

START_S = 90.0
_ROOT = Path(__file__).resolve().parents[1]
_PINNED = """
import os, sys
os.sched_setaffinity(0, {int(sys.argv[1])})
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers at `url`."""

    url: str
    process: psutil.Process

    def children(self) -> list[psutil.Process]:
        """Its engines' processes."""
        return self.process.children(recursive=True)

    def engines(self) -> dict[str, psutil.Process]:
        """Its engines' processes by kind: `asr`, `llm`, `tts`."""
        return {_kind(process): process for process in self.children()}

    def cpu_s(self) -> float:
        """CPU time of the server and all its processes so far."""
        return sum(cpu_s(process) for process in [self.process, *self.children()])

    def resident(self) -> int:
        """Bytes of memory of the server and all its processes; what they share counts for each."""
        return sum(one.memory_info().rss for one in [self.process, *self.children()])


def cpu_s(process: psutil.Process) -> float:
    """CPU time of one process so far, in seconds."""
    times = process.cpu_times()
    return float(times.user + times.system)


@asynccontextmanager
async def inzwa(config: Path | None = None) -> AsyncIterator[Running]:
    """`inzwa-rtc serve` as it is installed beside this Python, on a free port."""
    command = [str(Path(sys.executable).with_name("inzwa-rtc")), "serve"]
    if config is not None:
        command += ["--config", str(config)]
    async with started(command) as server:
        yield server


@asynccontextmanager
async def stock() -> AsyncIterator[Running]:
    """The floor to compare with: see `benchmarks.stock`."""
    async with started([sys.executable, "-m", "benchmarks.stock"]) as server:
        yield server


@asynccontextmanager
async def started(command: Sequence[str], core: int | None = None) -> AsyncIterator[Running]:
    """Whatever serves `/readyz` at the port that it is given; on one processor where `core`
    names it, with all its threads and children."""
    port = free_port()
    own = {name: value for name, value in os.environ.items() if not name.startswith("INZWA_")}
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    pinned = [] if core is None else [sys.executable, "-c", _PINNED, str(core)]
    with tempfile.TemporaryDirectory() as empty, tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(
            *pinned,
            *command,
            f"--port={port}",
            cwd=empty,  # no inzwa.yaml there
            env={**own, "PYTHONPATH": os.pathsep.join(paths), "INZWA_DATA_DIR": empty},
            stdout=log,
            stderr=log,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            await until_ready(url, process, START_S)
            yield Running(url, psutil.Process(process.pid))
        except BaseException:
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace")[-4000:])
            raise
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                try:
                    async with asyncio.timeout(15.0):
                        await process.wait()
                except TimeoutError:
                    process.kill()
                    await process.wait()


async def until_ready(url: str, process: asyncio.subprocess.Process, limit_s: float) -> None:
    """Wait until `/readyz` says 200. Raises `RuntimeError` if the process ends before that."""
    async with asyncio.timeout(limit_s), aiohttp.ClientSession() as http:
        while True:
            if process.returncode is not None:
                raise RuntimeError(f"The server ended with code {process.returncode}.")
            try:
                async with http.get(f"{url}/readyz") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.05)


def _kind(process: psutil.Process) -> str:
    """An engine's kind, told from the socket it listens on (`.../inzwa-asr-.../...`)."""
    for connection in process.net_connections("unix"):
        name = Path(str(connection.laddr)).parent.name
        if name.startswith("inzwa-"):
            return name.split("-")[1]
    return f"pid {process.pid}"


def free_port() -> int:
    """A TCP port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
