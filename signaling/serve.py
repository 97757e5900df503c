"""The life of the server: engines up, page served, calls held, and a graceful end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NoReturn

import structlog
from aiohttp import web

from inzwa_rtc.conversation.shedding import Shedding
from inzwa_rtc.errors import EngineError, ListenError
from inzwa_rtc.machine.garbage import keep_what_is_loaded
from inzwa_rtc.machine.load import LoadMeter
from inzwa_rtc.noise import choice
from inzwa_rtc.settings import Origin, Settings
from inzwa_rtc.store import Store, opened, place_of
from inzwa_rtc.tracing import opening as tracing
from inzwa_rtc.transport.clock import MediaClock
from inzwa_rtc.transport.ice import check_interfaces
from inzwa_rtc.turntaking import silero
from inzwa_rtc.turntaking.ear import Ear, Network
from signaling.access.gate import GATE, Gate
from signaling.access.opening import check_start
from signaling.admission import Admission
from signaling.app import create_app
from signaling.calls import Calls
from signaling.load import EVERY_S, admit, watch
from signaling.media import Media
from signaling.operations.work import Work
from signaling.protocol import Runner
from signaling.readiness import check_without_engines
from signaling.signals import Signals
from signaling.switchboard import RunningEngines, Switchboard, tell_not_reloaded
from signaling.telemetry.pulse import feel
from signaling.telemetry.telemetry import Telemetry
from signaling.tidying import tidy
from signaling.warmup import warm_up, warm_up_media
from signaling.watching import watching
from signaling.withdrawal import Withdrawal

REQUESTS_END_S = 1.0  # aiohttp waits twice as long; the time to finish was the drain

log = structlog.get_logger(__name__)


async def serve(
    settings: Settings,
    engines: AbstractAsyncContextManager[RunningEngines[Any]],
    read_settings: Callable[[], Settings],
    read_origins: Callable[[], Mapping[str, Origin]] = dict,
) -> None:
    """Serve until SIGTERM or SIGINT, then let live calls finish; a second signal ends them.
    At SIGHUP the settings are read again. `read_origins` tells where those came from that were
    read last.

    Raises `ListenError`, `ConfigError`, and what entering the engines raises, when it
    cannot start.
    """
    signals = Signals()
    try:
        async with opened(place_of(settings)) as store:  # engines may take minutes to load
            await check_start(settings, store.keys)
        await asyncio.to_thread(check_interfaces, settings)
        await check_without_engines(settings)
        async with engines as up:
            network = await warm_up_media(settings)
            try:
                await warm_up(settings, up.now.asr, up.now.llm)
            except EngineError as error:  # what becomes of it, its supervision decides
                log.warning("engine.not_warmed_up", error=error.code)
            async with running(settings, up, read_settings, read_origins, network) as server:
                keep_what_is_loaded()
                signals.started()
                log.info(
                    "server.ready",
                    pid=os.getpid(),
                    url=f"http://{_shown(settings.host)}:{server.port}/",
                )
                async with _reloading(server.switchboard, signals.reload):
                    await signals.stop.wait()
                    server.switchboard.close()
                await _drain(server, signals.force)
    except asyncio.CancelledError:
        if not signals.stop.is_set():
            raise
    log.info("server.stopped")


class Server:
    """A running server: its port, its calls, the engines that they are given, what is kept of
    users, and who lets them in."""

    def __init__(
        self,
        port: int,
        calls: Calls,
        switchboard: Switchboard[Any],
        store: Store,
        gate: Gate,
        work: Work,
    ) -> None:
        self.port = port
        self.calls = calls
        self.switchboard = switchboard
        self.store = store
        self.gate = gate
        self.work = work

    async def drain(self, limit_s: float) -> None:
        """Take no new calls and no new work, and let what runs finish for so long; calls that
        live then are ended."""
        await asyncio.gather(self.calls.drain(limit_s), self.work.underway.drain(limit_s))


@asynccontextmanager
async def running(
    settings: Settings,
    engines: RunningEngines[Any],
    read_settings: Callable[[], Settings],
    read_origins: Callable[[], Mapping[str, Origin]] = dict,
    network: Network | None = None,
) -> AsyncIterator[Server]:
    """Serve on the configured host and port (0: any free one) while the block runs; calls
    that live at its end are ended. Callers are heard with `network`, or, where none is given,
    with one that is loaded and still cold. Raises `ListenError`, `ConfigError`, `EngineError`."""
    async with opened(place_of(settings), settings.default_voice_mode) as store:
        await check_start(settings, store.keys)
        await asyncio.to_thread(check_interfaces, settings)
        if network is None:
            network = await asyncio.to_thread(silero.load)
        async with _running(
            settings, engines, read_settings, read_origins, store, network
        ) as server:
            yield server


@asynccontextmanager
async def _running(
    settings: Settings,
    engines: RunningEngines[Any],
    read_settings: Callable[[], Settings],
    read_origins: Callable[[], Mapping[str, Origin]],
    store: Store,
    network: Network,
) -> AsyncIterator[Server]:
    new_suppressor = choice.chosen(settings.noise_suppression)
    traces = tracing.opened(settings.telemetry)
    switchboard = Switchboard(engines, read_settings, read_origins)
    await switchboard.open(settings)
    shedding = Shedding(settings.load)
    telemetry = Telemetry(settings, traces)
    ear = Ear(network, telemetry.note_judged)
    media = Media(MediaClock(), ear, Admission(settings.load), new_suppressor)
    calls = Calls(settings.limits, switchboard, media, shedding, telemetry)
    switchboard.on_exchange = calls.engines_exchanged
    store.users.when_deleted(calls.forget_user)
    work = Work(switchboard, shedding, lambda verdict: telemetry.calls.refusal(verdict.category))
    app = create_app(settings, calls, switchboard, store, work)
    runner = Runner(app, shutdown_timeout=REQUESTS_END_S)
    await runner.setup()
    meter = LoadMeter(readings=round(settings.load.average_s / EVERY_S))
    withdrawal = Withdrawal(
        store.users, calls, lambda: {*calls.tokens.users, *switchboard.now.spending.users()}
    )
    async with watching(
        media=media.clock.run,
        load=lambda: watch(shedding, meter, telemetry.note_load),
        admission=lambda: admit(media, lambda: telemetry.load),
        pulse=lambda: feel(telemetry, calls),
        withdrawal=withdrawal.watch,
        tidying=lambda: tidy(calls),
    ):
        try:
            site = web.TCPSite(runner, settings.host, settings.port)
            try:
                await site.start()
            except OSError as error:
                raise ListenError(
                    f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}.",
                    action="Stop what uses that port, or choose another with --port.",
                ) from None
            yield Server(runner.addresses[0][1], calls, switchboard, store, app[GATE], work)
        finally:
            await calls.close()
            await runner.cleanup()
            await work.close()
            await switchboard.ended()
            await traces.close()


async def _drain(server: Server, force: asyncio.Event) -> None:
    limit_s = server.switchboard.now.settings.timeouts.drain
    draining = asyncio.create_task(server.drain(limit_s))
    forced = asyncio.create_task(force.wait())
    await asyncio.wait({draining, forced}, return_when=asyncio.FIRST_COMPLETED)
    forced.cancel()
    draining.cancel()  # what is left, `running` ends at once


@asynccontextmanager
async def _reloading(switchboard: Switchboard[Any], asked: asyncio.Event) -> AsyncIterator[None]:
    """Exchange the engines whenever it is asked for, while the block runs."""
    task = asyncio.create_task(_reload_when(switchboard, asked))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _reload_when(switchboard: Switchboard[Any], asked: asyncio.Event) -> NoReturn:
    while True:
        await asked.wait()
        asked.clear()
        try:
            await switchboard.reload()
        except Exception as error:  # noqa: BLE001 - calls go on as they were
            tell_not_reloaded(error)


def _shown(host: str) -> str:
    return "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1") else host
