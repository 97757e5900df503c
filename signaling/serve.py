"""The life of the server: engines up, page served, calls held, and a graceful end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from inzwa_rtc.conversation.spoken import languages, lines
from inzwa_rtc.conversation.stages import EngineSet, Faults, render
from inzwa_rtc.engines.client import Engines
from inzwa_rtc.engines.contracts import Synthesizer
from inzwa_rtc.errors import ConfigError
from inzwa_rtc.settings import Settings
from inzwa_rtc.turntaking.vad import SileroVad
from signaling.app import create_app
from signaling.calls import Calls
from signaling.info import EngineStatus

KEEPALIVE_S = 15.0  # also the guard against slow headers; aiohttp's own default is an hour

log = structlog.get_logger(__name__)


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then let live calls finish; a second signal ends them.

    Raises `ConfigError` or `EngineUnavailable` when the server cannot start.
    """
    stop = asyncio.Event()
    force = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: (force if stop.is_set() else stop).set())
    async with (
        Engines(settings) as engines,
        running(
            settings, EngineSet(engines.asr, engines.llm, engines.tts), engines.status
        ) as server,
    ):
        log.info("server.ready", url=f"http://{_shown(settings.host)}:{server.port}/")
        await stop.wait()
        drain = asyncio.create_task(server.calls.drain(settings.timeouts.drain))
        forced = asyncio.create_task(force.wait())
        await asyncio.wait({drain, forced}, return_when=asyncio.FIRST_COMPLETED)
        forced.cancel()
        if not drain.done():
            drain.cancel()
            await server.calls.drain(0)
        log.info("server.stopped")


class Server:
    """A running server: its port, and its calls."""

    def __init__(self, calls: Calls, port: int) -> None:
        self.calls = calls
        self.port = port


@asynccontextmanager
async def running(
    settings: Settings, engines: EngineSet, status: EngineStatus
) -> AsyncIterator[Server]:
    """Serve on the configured host and port (0: any free one) while the block runs; calls
    that live at its end are ended."""
    faults = await render_faults(engines.tts, settings.timeouts.first_audio)
    async with asyncio.TaskGroup() as tasks:
        calls = Calls(settings, engines, faults, SileroVad, tasks)
        runner = web.AppRunner(
            create_app(settings, calls, engines.tts, status),
            access_log=None,
            keepalive_timeout=KEEPALIVE_S,
            handler_cancellation=True,
            shutdown_timeout=5.0,
        )
        await runner.setup()
        try:
            site = web.TCPSite(runner, settings.host, settings.port)
            try:
                await site.start()
            except OSError as error:
                raise ConfigError(
                    f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}.",
                    action="Stop what uses that port, or choose another with --port.",
                ) from None
            yield Server(calls, runner.addresses[0][1])
        finally:
            await calls.drain(0)
            await runner.cleanup()


async def render_faults(synthesizer: Synthesizer, timeout_s: float) -> Faults:
    """The apologies, ready before an engine can fail."""
    return {
        language: await render(lines(language).fault, language, synthesizer, timeout_s)
        for language in languages()
    }


def _shown(host: str) -> str:
    return "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1") else host
