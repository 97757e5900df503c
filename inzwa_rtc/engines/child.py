"""One life of an engine's process, seen from its parent. See `service` for its inside."""

from __future__ import annotations

import asyncio
import errno
import io
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
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
from inzwa_rtc.engines.launch import Launch
from inzwa_rtc.engines.socket_folder import SocketFolder
from inzwa_rtc.errors import ConfigError, EngineError, EngineTimeout, EngineUnavailable

_STOP_S = 2.0
_MAX_REPORT_BYTES = 4 * 1024 * 1024

_NO_ROOM = {errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC}
"""Why no program can be started now, whichever it is."""


class Child:
    """A running process that serves one engine; `start` makes one.

    `description` is what the engine says of itself: name, sample rate, voices.
    `gone` is set, by whoever watches it, once it is of no more use.
    """

    def __init__(self, launch: Launch, process: Process, folder: SocketFolder) -> None:
        self.description: Mapping[str, Any] = {}
        self.gone = asyncio.Event()
        self._spec = launch.spec
        self._process = process
        self._folder = folder
        self._session = ClientSession(
            "http://engine",
            # No limit of ours: calls are counted where they are admitted. No connection
            # is used twice: one that ends early is the sign to stop working.
            connector=UnixConnector(str(folder.socket), limit=0, force_close=True),
            # How long each stage may take is for the caller to say.
            timeout=ClientTimeout(total=None, sock_connect=None),
            # What waits here for a consumer that stalls: half a second of audio.
            read_bufsize=16 * 1024,
        )

    @classmethod
    async def start(cls, launch: Launch, *, timeout_s: float) -> Child:
        """Start a process and wait until its engine is loaded; whatever goes wrong, nothing
        is left of it.

        Raises `ConfigError` for options that the engine cannot use, `EngineUnavailable` with
        the engine's own message when it cannot be loaded, `EngineTimeout` when it is not within
        `timeout_s` seconds, and `EngineError` for what may mend itself: its process ended
        before, or the machine has no room for one now.
        """
        try:
            return await cls._start(launch, timeout_s)
        # RuntimeError: no thread can be started.
        except (OSError, RuntimeError) as error:
            raise EngineError(
                f"No process for the {launch.spec.kind} engine `{launch.spec.name}` could be "
                f"started ({type(error).__name__}: {error}).",
                action="Free memory, disk space, processes or descriptors (see `ulimit -a`), "
                "then try again.",
            ) from error

    @classmethod
    async def _start(cls, launch: Launch, timeout_s: float) -> Child:
        folder = SocketFolder.create(launch.spec.kind)
        try:
            # -P: no imports from the working folder.
            process = await _created(
                *(launch.python or sys.executable, "-P", "-m", "inzwa_rtc.engines.service")
            )
        except OSError as error:
            folder.remove()
            if launch.python is None or error.errno in _NO_ROOM:
                raise
            raise EngineUnavailable(
                f"There is no Python at {launch.python} ({error.strerror}).",
                action=f"Correct `{launch.spec.kind}.engine_python`.",
            ) from None
        except BaseException:
            folder.remove()
            raise
        child = cls(launch, process, folder)
        try:
            async with asyncio.timeout(timeout_s):
                child.description = await child._loaded(launch)
        except TimeoutError:
            await child.close()
            raise EngineTimeout(
                f"The {child._spec.kind} engine `{child._spec.name}` was not loaded within "
                f"{timeout_s:g} s.",
                action="Raise `timeouts.engine_start`, or choose a smaller model.",
            ) from None
        except BaseException:
            await child.close()
            raise
        return child

    @property
    def pid(self) -> int:
        """Its number, also after it ended."""
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
        """Return when the process has ended."""
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
            self._folder.remove()
            _close_pipes(self._process)
            await self._session.close()
        await self._process.wait()

    async def _loaded(self, launch: Launch) -> Mapping[str, Any]:
        told = {
            "launch": launch.to_json(),
            "socket": str(self._folder.socket),
            "parent": os.getpid(),
        }
        assert self._process.stdin is not None and self._process.stdout is not None
        # On standard input, not in the arguments: options may hold keys.
        with suppress(ConnectionError):
            self._process.stdin.write(wire.to_line(told))
            await self._process.stdin.drain()
        line = await self._process.stdout.readline()
        if not line:
            await self._process.wait()
            raise EngineError(
                f"The process of the {self._spec.kind} engine `{self._spec.name}` ended while "
                f"it was loading ({self.ending}).",
                action="See above for what it printed; SIGKILL often means too little memory.",
            )
        report = wire.from_json(line)
        if "error" in report:
            error = wire.error_from(report["error"])
            # What the operator has to correct stays theirs; all else is the engine's.
            whose = ConfigError if error.code == ConfigError.code else EngineUnavailable
            raise whose(error.message, action=error.action, code=error.code)
        description: Mapping[str, Any] = report["ready"]
        return description


async def _created(*command: str) -> asyncio.subprocess.Process:
    """A process with pipes. Cancelled in the midst of making one, asyncio would leave the
    pipes open: it is made first, then ended."""
    making = asyncio.create_task(
        asyncio.create_subprocess_exec(
            *command,
            stdin=PIPE,
            stdout=PIPE,
            # A group of its own: no Ctrl-C from the terminal, and whatever the engine
            # starts can be ended with it.
            process_group=0,
            limit=_MAX_REPORT_BYTES,
        )
    )
    try:
        return await asyncio.shield(making)
    except asyncio.CancelledError:
        with suppress(OSError):
            process = await making
            process.kill()
            _close_pipes(process)
            await process.wait()
        raise


def _close_pipes(process: asyncio.subprocess.Process) -> None:
    """Also the one that it writes to, which something that it started may hold open. asyncio
    has no other way to close that."""
    process._transport.close()  # type: ignore[attr-defined]


def cut_off(connection: ClientWebSocketResponse) -> None:
    """End the connection's socket at once, without asking the other side, which may be
    stuck. The connection is still to be closed."""
    end = connection.get_extra_info("socket")
    if end is not None:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
