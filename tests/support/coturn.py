"""A TURN server of the tests' own: coturn, from the system's package."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.process import free_port

SECRET = "a-secret-of-the-tests-own"


@dataclass(frozen=True, slots=True)
class Coturn:
    """A server on the loopback interface that lets in who has credentials made with `SECRET`."""

    port: int

    @property
    def url(self) -> str:
        """Where it is (RFC 7065)."""
        return f"turn:127.0.0.1:{self.port}"


@asynccontextmanager
async def coturn() -> AsyncIterator[Coturn]:
    """It runs for as long as the block does."""
    path = shutil.which("turnserver")
    assert path, "turnserver is missing: scripts/test installs the package coturn"
    port = free_port()
    with TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            # Whatever becomes of the tests, it ends with them.
            *("setpriv", "--pdeathsig", "KILL", "--", path, "-n", "--verbose"),
            *("--use-auth-secret", f"--static-auth-secret={SECRET}", "--realm=inzwa.test"),
            *("--listening-ip=127.0.0.1", f"--listening-port={port}"),
            *("--relay-ip=127.0.0.1", "--relay-ip=::1"),
            *("--allow-loopback-peers", "--no-cli", "--no-tls", "--no-dtls"),
            # As docs/turn.md has it: to the server and nowhere else.
            *("--no-tcp-relay", "--denied-peer-ip=0.0.0.0-255.255.255.255"),
            "--denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            *("--allowed-peer-ip=127.0.0.1", "--allowed-peer-ip=::1"),
            *("--log-file=stdout", "--simple-log"),
            *(f"--{name}={Path(folder) / name}" for name in ("pidfile", "userdb")),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdout is not None
        reading = asyncio.create_task(_until_ready(process.stdout))
        try:
            async with asyncio.timeout(60):
                told = await reading
            assert process.returncode is None, told
            emptying = asyncio.create_task(process.stdout.read())  # else it would stand still
            yield Coturn(port)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
        await emptying


async def _until_ready(log: asyncio.StreamReader) -> str:
    told = ""
    while line := (await log.readline()).decode():
        told += line
        if "admin thread" in line:  # the last of its threads to begin
            return told
    raise AssertionError(f"coturn did not start: {told}")
