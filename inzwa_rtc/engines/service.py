"""The process of one engine: `python -m inzwa_rtc.engines.service`, started by `child`.

It reads one JSON line from standard input (the launch), loads the engine, serves it
over HTTP on a Unix socket (see `routes`), and writes one JSON line to standard output:
a description of the engine, or why it could not be loaded.

It lives no longer than its parent: the kernel kills it when the parent dies, and, where
there is no such kernel, the end of standard input does.

It tells nobody what callers say. Whatever the engine or its libraries print once it is
loaded is dropped, and of an exception that is not ours only its type and place leave
this process, never its message.
"""

from __future__ import annotations

import asyncio
import ctypes
import faulthandler
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from inzwa_rtc.engines import wire
from inzwa_rtc.engines.registry import EngineSpec, load
from inzwa_rtc.engines.routes import application, describe, place
from inzwa_rtc.errors import InzwaError

_PR_SET_PDEATHSIG = 1
_BACKLOG = 1024


def main() -> None:
    # Ctrl-C reaches the whole foreground group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lifeline, report = _take_pipes()
    launch = _read_launch(lifeline)
    _die_with(launch["parent"], lifeline)
    try:
        engine = load(EngineSpec(**launch["spec"]), launch["options"])
    except InzwaError as error:
        _write_all(report, wire.to_line({"error": wire.error_to(error)}))
        sys.exit(1)
    asyncio.run(_serve(engine, launch, report))
    # A library's threads may still compute; nothing here needs their result.
    os._exit(0)


async def _serve(engine: Any, launch: Mapping[str, Any], report: int) -> None:
    spec = EngineSpec(**launch["spec"])
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    runner = web.AppRunner(
        application(spec, engine, launch["max_concurrent"]),
        handle_signals=False,
        handler_cancellation=True,
        shutdown_timeout=0.1,
        access_log=None,
    )
    await runner.setup()
    try:
        await web.UnixSite(runner, launch["socket"], backlog=_BACKLOG).start()
        loop.add_signal_handler(signal.SIGTERM, stopping.set)
        loop.set_exception_handler(_hush(spec))
        _write_all(report, wire.to_line({"ready": describe(spec, engine)}))
        os.close(report)
        await stopping.wait()
    finally:
        await runner.cleanup()
        engine.close()


def _take_pipes() -> tuple[int, int]:
    """Keep standard input and output for ourselves: nothing that the engine reads, prints
    or starts may touch them."""
    lifeline, report = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return lifeline, report


def _hush(spec: EngineSpec) -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """Drop what is printed from now on, except crashes (without values) and, through the
    returned handler, the types and places of exceptions that nobody awaited."""
    standard_error = os.fdopen(os.dup(2), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    faulthandler.enable(standard_error)

    def tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None:
            standard_error.write(f"{spec.kind} engine {spec.name}: {place(error)}\n")
            standard_error.flush()

    return tell


def _read_launch(lifeline: int) -> dict[str, Any]:
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(lifeline, 65536)
        if not piece:
            sys.exit(1)
        line += piece
    launch: dict[str, Any] = json.loads(line)
    return launch


def _die_with(parent: int, lifeline: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # The parent may have died before that call.
    if os.getppid() != parent:
        sys.exit(1)
    threading.Thread(target=_await_end, args=(lifeline,), daemon=True).start()


def _await_end(lifeline: int) -> None:
    # A thread, not the loop: it must also work while the engine loads.
    os.read(lifeline, 1)
    os._exit(1)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


if __name__ == "__main__":
    main()
