"""Gives every turn the engines of the moment, and exchanges them while calls go on.

Other engines take over only when all of them are loaded, fit the settings and have spoken the
apologies. Until then, and if any of it fails, calls go on as before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import structlog

from inzwa_rtc.conversation.engines import EngineSet
from inzwa_rtc.engines.contracts import (
    EngineKind,
)
from inzwa_rtc.errors import InzwaError, Unavailable
from inzwa_rtc.settings import Origin, Settings, flatten
from inzwa_rtc.speech.cache.cache import PhraseCache
from inzwa_rtc.speech.cost import PriceTable, Spending
from signaling.readiness import Memory, Trio, check_without_engines, ready
from signaling.warmup import warm_up

AT_START_ONLY = (
    "access",
    "admin_key",
    "data_dir",
    "database_url",
    "default_voice_mode",
    "environment",
    "voice_enabled",
    "hmac_key",
    "host",
    "port",
    "allowed_origins",
    "max_concurrent_sessions",
    "log_json",
    "enable_webrtc",
    "media_interfaces",
    "public_address",
    "udp_ports",
    "turn_urls",
    "turn_secret",
    "turn_lifetime_s",
    "audio_out_codec",
    "opus_bitrate",
    "opus_bitrate_in",
    "noise_suppression",
    "limits",
    "load",
    "phrase_cache",
    "telemetry",
)
"""Settings, and groups of them, that a running server does not change."""

log = structlog.get_logger(__name__)


class EngineStatus(Protocol):
    """How one engine is."""

    @property
    def name(self) -> str:
        """The engine in use."""
        ...

    @property
    def state(self) -> str:
        """`ready` when requests are served."""
        ...

    @property
    def restarts(self) -> int:
        """How often it had to be started again."""
        ...

    @property
    def breaker(self) -> str | None:
        """Of several engines that stand in for each other: whether this one is asked."""
        ...

    @property
    def model(self) -> str:
        """The model that it has loaded, empty where it tells none."""
        ...

    @property
    def in_flight(self) -> int:
        """Requests that are under way."""
        ...

    @property
    def pid(self) -> int | None:
        """Its process, where it has one."""
        ...

    @property
    def others(self) -> Sequence[EngineStatus]:
        """Those that stand in for this one, or that this one stands in for."""
        ...


class Lineup(Trio, Protocol):
    """Engines that serve together."""

    def each(self) -> Iterable[tuple[EngineKind, str, Any]]:
        """All of them, those too that others stand in for, with their kinds and names."""
        ...

    def lent(self) -> AbstractContextManager[Any]:
        """They serve for as long as the block runs, in use or not."""
        ...


L = TypeVar("L", bound=Lineup)


class RunningEngines(Protocol[L]):
    """The engines of a server, how they are, and how others take their place."""

    @property
    def now(self) -> L:
        """Those in use."""
        ...

    def status(self) -> Mapping[Any, EngineStatus]:
        """How those in use are, by kind."""
        ...

    async def load(self, settings: Settings) -> L:
        """Others beside them, ready, to be given to `use` or `discard`."""
        ...

    def use(self, lineup: L) -> Sequence[EngineKind]:
        """Let them take over; the kinds of which there are other engines now."""
        ...

    def discard(self, lineup: L) -> None:
        """Let those go that are not to be used."""
        ...


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What new settings have changed: the kinds of which there are other engines now, the
    settings that are others, and those that count from the next start of the server only."""

    kinds: Sequence[EngineKind]
    changed: Sequence[str]
    needs_restart: Sequence[str]


class Switchboard(Generic[L]):
    """To be opened once its engines run. `read_settings` may block.

    Whoever sets `on_exchange` is told when other engines have taken over.
    """

    def __init__(
        self,
        engines: RunningEngines[L],
        read_settings: Callable[[], Settings],
        read_origins: Callable[[], Mapping[str, Origin]] = dict,
    ) -> None:
        """`read_origins` tells where the settings came from that were read last."""
        self.origins: Mapping[str, Origin] = {}
        self._read_origins = read_origins
        self.on_exchange: Callable[[], None] = lambda: None
        self._engines = engines
        self._read_settings = read_settings
        self._exchanging = asyncio.Lock()  # one after another; each starts from the last one's
        self._exchange: asyncio.Task[Exchanged] | None = None
        self._is_closed = False
        self._now: EngineSet | None = None
        self._closing: set[asyncio.Task[None]] = set()  # tools that others have taken over from

    @property
    def now(self) -> EngineSet:
        """The engines that the next turn will be given."""
        assert self._now is not None, "opened before it is used"
        return self._now

    async def open(self, settings: Settings) -> None:
        """Make the engines ready for the first call. Raises `ConfigError`, `EngineError`."""
        if settings.hmac_key is None:
            log.warning(
                "pseudonyms.key_is_random",
                action="Set hmac_key: names of users and texts in the log then outlive a restart.",
            )
        cache = await asyncio.to_thread(PhraseCache, settings)
        memory = Memory(cache, Spending(PriceTable(settings.prices)))
        self._now = await ready(self._engines.now, settings, None, memory)
        self._memory = memory
        self.origins = self._read_origins()

    @contextmanager
    def lent(self) -> Generator[EngineSet, None, None]:
        """As in `EngineSource`."""
        engines = self.now
        with self._engines.now.lent(), engines.tools.lent():
            yield engines

    @contextmanager
    def each(self) -> Generator[list[tuple[EngineKind, str, Any]], None, None]:
        """All engines in use, with their kinds and names; they serve while the block runs."""
        lineup = self._engines.now
        with lineup.lent():
            yield list(lineup.each())

    def status(self) -> Mapping[Any, EngineStatus]:
        """How the engines in use are, by kind."""
        return self._engines.status()

    def close(self) -> None:
        """Exchange nothing any more; a reload under way is given up."""
        self._is_closed = True
        if self._exchange is not None:
            self._exchange.cancel()

    async def ended(self) -> None:
        """Let go of what was kept, once no call is left."""
        self.close()
        await self._memory.cache.close()
        await self.now.tools.close()
        await asyncio.gather(*self._closing)

    async def reload(self) -> Exchanged:
        """Read the settings again: new turns are given the engines that they name, new calls
        follow the settings.

        Raises `ConfigError`, `EngineError`, and `Unavailable` once closed; all is then as
        before.
        """
        async with self._exchanging:
            if self._is_closed:
                raise _closed()
            self._exchange = asyncio.create_task(self._reload())
            try:
                await asyncio.wait({self._exchange})
            finally:
                self._exchange.cancel()
                await asyncio.wait({self._exchange})
            if self._exchange.cancelled():
                raise _closed()
            exchanged = self._exchange.result()
        log.info(
            "settings.reloaded",
            kinds=list(exchanged.kinds),
            changed=list(exchanged.changed),
            needs_restart=list(exchanged.needs_restart),
        )
        return exchanged

    async def _reload(self) -> Exchanged:
        old = self.now
        settings = await asyncio.to_thread(self._read_settings)
        new = settings.model_copy(
            update={name: getattr(old.settings, name) for name in AT_START_ONLY}
        )
        await check_without_engines(new, old)
        lineup = await self._engines.load(new)
        try:
            if _asks_otherwise(old, lineup, new):
                await warm_up(new, lineup.asr, lineup.llm)
            engines = await ready(lineup, new, old, self._memory)
        except BaseException:
            self._engines.discard(lineup)
            raise
        self._now = engines
        self.origins = self._read_origins()
        if engines.tools is not old.tools:
            self._closing.add(closing := asyncio.create_task(old.tools.close()))
            closing.add_done_callback(self._closing.discard)
        self._memory.spending.table = PriceTable(new.prices)
        kinds = self._engines.use(lineup)
        self.on_exchange()
        return Exchanged(kinds, _differing(old.settings, new), _differing(new, settings))


def tell_not_reloaded(error: Exception) -> None:
    """Log why a reload has changed nothing."""
    if isinstance(error, InzwaError):
        log.error("settings.not_reloaded", code=error.code, reason=str(error))
    else:
        log.error("settings.not_reloaded", exc_info=error)


def _closed() -> Unavailable:
    return Unavailable(
        "The server is shutting down.",
        action="Start it again; it reads the settings then.",
        code="draining",
    )


def _asks_otherwise(old: EngineSet, lineup: Lineup, new: Settings) -> bool:
    """Whether requests go to other engines, or name another language or adapter."""
    names = ("asr_language", "asr_task", "llm_adapter")
    return (
        lineup.asr is not old.asr
        or lineup.llm is not old.llm
        or any(getattr(old.settings, name) != getattr(new, name) for name in names)
    )


def _differing(one: Settings, other: Settings) -> list[str]:
    """The full names of the settings that are not the same."""
    here, there = (dict(flatten(settings.model_dump())) for settings in (one, other))
    return [name for name in {**here, **there} if here.get(name) != there.get(name)]
