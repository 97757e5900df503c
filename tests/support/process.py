"""The installed command in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

COMMAND = (str(Path(sys.executable).with_name("inzwa-rtc")),)


@asynccontextmanager
async def served(
    port: int = 0, /, *, command: Sequence[str] = COMMAND, **environment: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """The installed command in a process of its own, which a test may kill."""
    port = port or free_port()
    process = await asyncio.create_subprocess_exec(
        *(*command, "serve", "--port", str(port)),
        env={**os.environ, "INZWA_LOG_JSON": "true", **environment},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(60):
            while json.loads(await process.stderr.readline())["event"] != "server.ready":
                pass
        yield process, port
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
