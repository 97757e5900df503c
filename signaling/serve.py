"""The life of the server: engines up, page served, calls held, and a graceful end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

import structlog
from aiohttp import web

from inzwa_rtc.conversation.peer import UpdateVoice
from inzwa_rtc.conversation.spoken import lines
from inzwa_rtc.conversation.stages import EngineSet, Faults, render
from inzwa_rtc.conversation.voices import Voices
from inzwa_rtc.engines.contracts import LanguageModel, Recognizer, Synthesizer
from inzwa_rtc.errors import ListenError
from inzwa_rtc.noise import choice
from inzwa_rtc.settings import Settings
from inzwa_rtc.turntaking.vad import SileroVad
from signaling.app import create_app
from signaling.calls import Calls
from signaling.detectors import Detectors
from signaling.info import EngineStates, EngineStatus
from signaling.warmup import warm_up

SAME_SIGNAL_S = 1.0
KEEPALIVE_S = 15.0  # also the guard against slow headers; aiohttp's own default is an hour

log = structlog.get_logger(__name__)


class RunningEngines(Protocol):
    """The engines of a server, and how they are."""

    @property
    def asr(self) -> Recognizer:
        """Turns speech into text."""
        ...

    @property
    def llm(self) -> LanguageModel:
        """Continues dialogues."""
        ...

    @property
    def tts(self) -> Synthesizer:
        """Speaks."""
        ...

    def status(self) -> Mapping[Any, EngineStatus]:
        """For each kind of engine."""
        ...


async def serve(settings: Settings, engines: AbstractAsyncContextManager[RunningEngines]) -> None:
    """Serve until SIGTERM or SIGINT, then let live calls finish; a second signal ends them.

    Raises `ListenError`, `ConfigError`, and what entering the engines raises, when it
    cannot start.
    """
    signals = _Signals()
    try:
        async with engines as up:
            await warm_up(settings, up.asr)
            parts = EngineSet(up.asr, up.llm, up.tts)
            async with running(settings, parts, up.status) as server:
                signals.started()
                log.info("server.ready", url=f"http://{_shown(settings.host)}:{server.port}/")
                await signals.stop.wait()
                await _drain(server.calls, settings.timeouts.drain, signals.force)
    except asyncio.CancelledError:
        if not signals.stop.is_set():
            raise
    log.info("server.stopped")


class _Signals:
    """The first signal stops, the second forces; before the start is done, the first ends it.

    Repeats within `SAME_SIGNAL_S` are the same request: under `make`, one SIGTERM to the
    process group arrives twice, once from the group and once passed on.
    """

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.force = asyncio.Event()
        self._starting = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        self._received_at = -SAME_SIGNAL_S
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._received)

    def started(self) -> None:
        self._starting = None

    def _received(self) -> None:
        now = self._loop.time()
        is_repeat, self._received_at = now - self._received_at < SAME_SIGNAL_S, now
        if is_repeat:
            return
        (self.force if self.stop.is_set() else self.stop).set()
        if self._starting is not None:
            self._starting.cancel()


async def _drain(calls: Calls, limit_s: float, force: asyncio.Event) -> None:
    draining = asyncio.create_task(calls.drain(limit_s))
    forced = asyncio.create_task(force.wait())
    await asyncio.wait({draining, forced}, return_when=asyncio.FIRST_COMPLETED)
    forced.cancel()
    draining.cancel()  # what is left, `running` ends at once


class Server:
    """A running server: its port, and its calls."""

    def __init__(self, calls: Calls, port: int) -> None:
        self.calls = calls
        self.port = port


@asynccontextmanager
async def running(
    settings: Settings, engines: EngineSet, status: EngineStates
) -> AsyncIterator[Server]:
    """Serve on the configured host and port (0: any free one) while the block runs; calls
    that live at its end are ended. Raises `ListenError`, `ConfigError`, `EngineError`."""
    voices = Voices(engines.tts, settings)
    voices.check_settings()
    new_suppressor = choice.chosen(settings.noise_suppression)
    faults = await render_faults(voices, engines.tts, settings.timeouts.first_audio)
    calls = Calls(settings, engines, voices, faults, Detectors(SileroVad), new_suppressor)
    runner = web.AppRunner(
        create_app(settings, calls, status),
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
            raise ListenError(
                f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}.",
                action="Stop what uses that port, or choose another with --port.",
            ) from None
        yield Server(calls, runner.addresses[0][1])
    finally:
        await calls.close()
        await runner.cleanup()


async def render_faults(voices: Voices, synthesizer: Synthesizer, timeout_s: float) -> Faults:
    """The apologies in every language that is offered, each in the voice that its callers
    hear, ready before an engine can fail. Raises `EngineError`."""
    usual = voices.usual()
    return {
        language: await render(
            lines(language).fault,
            language,
            synthesizer,
            timeout_s,
            voices.choose(UpdateVoice(language), usual).voice,
        )
        for language in voices.languages()
    }


def _shown(host: str) -> str:
    return "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1") else host
