"""The process of one engine: `python -m inzwa_rtc.engines.service`, started by `child`.

It reads one JSON line from standard input (see `launch`), loads the engine, serves it
over HTTP on a Unix socket (see `routes`), and writes one JSON line to standard output:
a description of the engine, or why it could not be loaded.

It lives no longer than its parent: the kernel kills it when the parent dies, and, where
there is no such kernel, the end of standard input does.

It tells nobody what callers say. Whatever the engine or its libraries print or log once
it is loaded is dropped, and of an exception that is not ours only its type and place
leave this process, never its message. Lines of ours have the form of the server's.
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
from collections.abc import Callable
from typing import Any

import structlog
from aiohttp import web

from inzwa_rtc import logging
from inzwa_rtc.engines import wire
from inzwa_rtc.engines.launch import Launch
from inzwa_rtc.engines.registry import load
from inzwa_rtc.engines.routes import application, describe, place
from inzwa_rtc.errors import InzwaError
from inzwa_rtc.machine.garbage import keep_what_is_loaded

NICENESS = 5
"""How far an engine that serves stands back behind the server: a token can wait, a packet of
live speech is due every 20 ms. It loads at full speed where callers wait for it."""

_PR_SET_PDEATHSIG = 1
_BACKLOG = 1024

_log = structlog.get_logger("inzwa_rtc.engines.service")  # `__name__` is "__main__" here


def main() -> None:
    # Ctrl-C reaches the whole foreground group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lifeline, report = _take_pipes()
    told = _read_line(lifeline)
    _die_with(told["parent"], lifeline)
    launch = Launch.from_json(told["launch"])
    logging.configure(as_json=launch.log_json)
    if launch.stands_back:
        _stand_back()
    try:
        engine = load(launch.spec, launch.options)
    except InzwaError as error:
        _write_all(report, wire.to_line({"error": wire.error_to(error)}))
        sys.exit(1)
    asyncio.run(_serve(engine, launch, told["socket"], report))
    # A library's threads may still compute; nothing here needs their result.
    os._exit(0)


async def _serve(engine: Any, launch: Launch, socket: str, report: int) -> None:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    runner = web.AppRunner(
        application(launch.spec, engine, launch.max_concurrent),
        handle_signals=False,
        handler_cancellation=True,
        shutdown_timeout=0.1,
        access_log=None,
    )
    await runner.setup()
    try:
        await web.UnixSite(runner, socket, backlog=_BACKLOG).start()
        loop.add_signal_handler(signal.SIGTERM, stopping.set)
        if not launch.stands_back:  # it has all the while
            _stand_back()
        _hush(launch)
        loop.set_exception_handler(_unawaited(launch))
        keep_what_is_loaded()
        _write_all(report, wire.to_line({"ready": describe(launch.spec, engine)}))
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


def _stand_back() -> None:
    # The group is ours alone; of the process, Linux would take but the calling thread.
    niceness = os.getpriority(os.PRIO_PROCESS, 0) + NICENESS
    os.setpriority(os.PRIO_PGRP, 0, niceness)


def _hush(launch: Launch) -> None:
    """Drop what is printed or logged from now on, except crashes (without values) and log
    lines of our own."""
    standard_error = os.fdopen(os.dup(2), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    faulthandler.enable(standard_error)
    logging.configure(as_json=launch.log_json, stream=standard_error, only="inzwa_rtc")


def _unawaited(launch: Launch) -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """Tells of exceptions that nobody awaited: their types and places."""
    names = {"kind": launch.spec.kind, "engine": launch.spec.name}

    def tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None:
            _log.error("engine.unawaited_error", **names, error=place(error))

    return tell


def _read_line(lifeline: int) -> dict[str, Any]:
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(lifeline, 65536)
        if not piece:
            sys.exit(1)
        line += piece
    told: dict[str, Any] = json.loads(line)
    return told


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
