"""One life of an engine's process, seen from its parent. See `service` for its inside."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aiohttp import (
    BytesIOPayload,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    ClientWSTimeout,
    UnixConnector,
)

from inzwa_rtc.engines import wire
from inzwa_rtc.engines.registry import EngineSpec
from inzwa_rtc.errors import ConfigError, EngineUnavailable

_STOP_S = 2.0
_MAX_REPORT_BYTES = 4 * 1024 * 1024
_MAX_SOCKET_PATH = 100
"""The kernel's limit is 108 bytes on Linux and 104 elsewhere, final NUL included."""


class Child:
    """A running process that serves one engine; `start` makes one.

    `description` is what the engine says of itself: name, sample rate, voices.
    `gone` is set, by whoever watches it, once it is of no more use.
    """

    def __init__(self, spec: EngineSpec, process: Process, folder: Path) -> None:
        self.spec = spec
        self.description: Mapping[str, Any] = {}
        self.gone = asyncio.Event()
        self._process = process
        self._folder = folder
        self._session = ClientSession(
            "http://engine",
            # No limit of ours: calls are counted where they are admitted. No connection
            # is used twice: one that ends early is the sign to stop working.
            connector=UnixConnector(str(_socket_in(folder)), limit=0, force_close=True),
            # How long each stage may take is for the caller to say.
            timeout=ClientTimeout(total=None, sock_connect=None),
            # What waits here for a consumer that stalls: half a second of audio.
            read_bufsize=16 * 1024,
        )

    @classmethod
    async def start(
        cls,
        spec: EngineSpec,
        options: Mapping[str, Any],
        *,
        max_concurrent: int | None,
        timeout_s: float,
    ) -> Child:
        """Start a process and wait until its engine is loaded.

        Raises `EngineUnavailable` with the engine's own message when it cannot be
        loaded, or not within `timeout_s` seconds; nothing is left of it then.
        """
        folder = _private_folder(spec)
        try:
            # A group of its own: no Ctrl-C from the terminal, and whatever the
            # engine starts can be ended with it. -P: no imports from the working folder.
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "inzwa_rtc.engines.service"),
                stdin=PIPE,
                stdout=PIPE,
                process_group=0,
                limit=_MAX_REPORT_BYTES,
            )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        child = cls(spec, process, folder)
        try:
            async with asyncio.timeout(timeout_s):
                child.description = await child._loaded(options, max_concurrent)
        except TimeoutError:
            await child.close()
            raise EngineUnavailable(
                f"The {spec.kind} engine `{spec.name}` was not loaded within {timeout_s:g} s.",
                action="Raise `timeouts.engine_start`, or choose a smaller model.",
            ) from None
        except BaseException:
            await child.close()
            raise
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        code = self._process.returncode
        if code is None:
            return "runs"
        return f"status {code}" if code >= 0 else signal.Signals(-code).name

    async def health(self) -> None:
        """Return when it answered. Raises aiohttp's errors."""
        async with self._session.get("/healthz"):
            pass

    async def post(self, path: str, body: Mapping[str, Any]) -> ClientResponse:
        """Begin a request; its answer is to be closed. Raises aiohttp's errors."""
        payload = BytesIOPayload(io.BytesIO(json.dumps(body).encode("ascii")))
        return await self._session.post(
            path, data=payload, headers={"Content-Type": "application/json"}
        )

    async def connect(self, path: str, query: Mapping[str, str]) -> ClientWebSocketResponse:
        """Open a WebSocket, to be ended with `cut_off`, then closed. Raises aiohttp's errors."""
        return await self._session.ws_connect(
            path,
            params=query,
            compress=0,
            max_msg_size=wire.MAX_LINE_BYTES,
            timeout=ClientWSTimeout(ws_close=1.0),
        )

    async def exited(self) -> None:
        await self._process.wait()

    def kill(self) -> None:
        """End it and all that it started, at once, even if it is stopped or stuck."""
        # Also after it ended by itself: its helpers may be left. The number cannot have
        # been given to another group so soon.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def close(self) -> None:
        """Ask it to end, make it end after two seconds, and leave nothing behind."""
        self.gone.set()
        try:
            if self._process.returncode is None:
                with suppress(ProcessLookupError):
                    self._process.terminate()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_STOP_S):
                        await self._process.wait()
        finally:
            self.kill()
            shutil.rmtree(self._folder, ignore_errors=True)
            if self._process.stdin is not None:
                self._process.stdin.close()
            await self._session.close()
        await self._process.wait()

    async def _loaded(
        self, options: Mapping[str, Any], max_concurrent: int | None
    ) -> Mapping[str, Any]:
        launch = {
            "spec": asdict(self.spec),
            "options": options,
            "socket": str(_socket_in(self._folder)),
            "parent": os.getpid(),
            "max_concurrent": max_concurrent,
        }
        assert self._process.stdin is not None and self._process.stdout is not None
        # On standard input, not in the arguments: options may hold keys.
        with suppress(ConnectionError):
            self._process.stdin.write(wire.to_line(launch))
            await self._process.stdin.drain()
        line = await self._process.stdout.readline()
        if not line:
            await self._process.wait()
            raise EngineUnavailable(
                f"The process of the {self.spec.kind} engine `{self.spec.name}` ended while "
                f"it was loading ({self.ending}).",
                action="See above for what it printed; SIGKILL often means too little memory.",
            )
        report = wire.from_json(line)
        if "error" in report:
            error = wire.error_from(report["error"])
            raise EngineUnavailable(error.message, action=error.action, code=error.code)
        description: Mapping[str, Any] = report["ready"]
        return description


def cut_off(connection: ClientWebSocketResponse) -> None:
    """End the connection's socket at once, without asking the other side, which may be
    stuck. The connection is still to be closed."""
    end = connection.get_extra_info("socket")
    if end is not None:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _socket_in(folder: Path) -> Path:
    return folder / "socket"


def _private_folder(spec: EngineSpec) -> Path:
    """A new folder that only this user can enter, with a path short enough for a socket."""
    for parent in (tempfile.gettempdir(), "/tmp"):
        prefix = f"inzwa-{spec.kind}-"
        if len(os.fsencode(f"{parent}/{prefix}12345678/socket")) <= _MAX_SOCKET_PATH:
            return Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    raise ConfigError(
        "No folder for temporary files has a path short enough for a socket.",
        action=f"Set TMPDIR to a path of at most {_MAX_SOCKET_PATH - 30} bytes.",
    )
