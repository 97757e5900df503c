"""A server of one's own settings, for as long as it is measured."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO

import aiohttp
import click

from inzwa_rtc.errors import InzwaError

STOP_S = 15.0
_SERVE = "from inzwa_rtc.cli.main import main; main()"
_TOLD_LINES = 12


class NotStarted(InzwaError):
    """The server that was to be measured did not come up."""

    code = "server_not_started"


@asynccontextmanager
async def own_server(arguments: Sequence[str], calls: int) -> AsyncIterator[str]:
    """`inzwa-rtc serve` with these arguments, which takes so many calls, for this machine only;
    its address. Users, keys and rates of the settings are left alone: it has a database of its
    own, without any. Raises `NotStarted`."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _SERVE, "serve", *arguments),
            *("--host=127.0.0.1", f"--port={port}"),
            *(part for setting in unguarded(folder, calls) for part in ("--set", setting)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            await _ready(url, process, log)
            yield url
        finally:
            await _end(process)


def unguarded(folder: str, calls: int) -> tuple[str, ...]:
    """What is set above the settings, for a server that lives in this folder."""
    return (
        "log_json=false",
        f"data_dir={folder}",
        f"database_url=sqlite:///{Path(folder, 'users.db')}",
        f"max_concurrent_sessions={calls}",
        "access.open=true",
        "access.calls_per_minute=0",
        "access.requests_per_minute=0",
        # Where it would begin to refuse calls lies before the limits that are measured.
        "load.full_cpu_percent=100",
        "load.full_late_ms=1000",
    )


async def _ready(url: str, process: asyncio.subprocess.Process, log: IO[bytes]) -> None:
    """Wait until it serves, or has ended. Loading takes as long as its own settings allow."""
    async with aiohttp.ClientSession() as http:
        while process.returncode is None:
            with suppress(aiohttp.ClientError):
                async with http.get(f"{url}/readyz") as response:
                    if response.status == 200:
                        return
            with suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await process.wait()
    log.seek(0)
    lines = click.unstyle(log.read().decode(errors="replace")).splitlines()
    raise NotStarted(
        "\n".join([f"The server ended with code {process.returncode}:", *lines[-_TOLD_LINES:]]),
        action="Start it alone with `inzwa-rtc serve` and the same options.",
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
