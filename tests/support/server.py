"""A whole server in process, over engines of the test's choosing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from inzwa_rtc.engines.contracts import EngineKind
from inzwa_rtc.engines.lineup import Engines
from inzwa_rtc.engines.registry import KINDS
from inzwa_rtc.settings import Settings
from inzwa_rtc.store import Store, database
from signaling.access.gate import Gate
from signaling.calls import Calls
from signaling.serve import Server, running
from signaling.switchboard import Exchanged, Switchboard
from tests.support.engines import ScriptedModel, ScriptedRecognizer, ToneSynthesizer

# Tests share the machine with their callers: it may be busy, and calls are taken anyway.
NEVER_BUSY = {"load": {"full_cpu_percent": 100.0, "full_late_ms": 10_000.0}}
# For the same reason the database has longer than the 2 s after which it counts as away.
DATABASE_S = 10.0


@dataclass
class Ready:
    """An engine that is always well."""

    name: str = "test"
    state: str = "ready"
    restarts: int = 0
    breaker: str | None = None
    model: str = ""
    in_flight: int = 0
    pid: int | None = None
    others: tuple[Ready, ...] = ()


@dataclass
class Three:
    """Engines in this process, which are always there."""

    asr: Any
    llm: Any
    tts: Any

    @contextmanager
    def lent(self) -> Iterator[None]:
        yield

    def each(self) -> list[tuple[EngineKind, str, Any]]:
        return [(kind, "test", getattr(self, kind)) for kind in KINDS]


class InProcess:
    """`RunningEngines` of a test's choosing: `others` are loaded, or are why they cannot be;
    those synthesizers that were not used are `discarded`."""

    def __init__(self, now: Three) -> None:
        self.now = now
        self.others: Three | Exception = now
        self.discarded: list[Any] = []

    def status(self) -> dict[str, Ready]:
        return {"asr": Ready()}

    async def load(self, settings: Settings) -> Three:
        if isinstance(self.others, Exception):
            raise self.others
        return self.others

    def use(self, lineup: Three) -> list[EngineKind]:
        before, self.now = self.now, lineup
        return [kind for kind in KINDS if getattr(before, kind) is not getattr(lineup, kind)]

    def discard(self, lineup: Three) -> None:
        self.discarded.append(lineup.tts)


@dataclass
class Serving:
    """A running server and its parts."""

    url: str
    calls: Calls
    engines: Three
    store: Store
    gate: Gate
    server: Server


@asynccontextmanager
async def serving(
    asr: Any = None, llm: Any = None, tts: Any = None, **settings: Any
) -> AsyncIterator[Serving]:
    """A server on the loopback interface, on a free port unless one is given."""
    engines = Three(asr or ScriptedRecognizer(), llm or ScriptedModel(), tts or ToneSynthesizer())
    with TemporaryDirectory() as data:
        all_settings = Settings(**{"port": 0, "data_dir": data, **NEVER_BUSY, **settings})
        with patch.object(database, "TIME_LIMIT_S", DATABASE_S):
            async with running(all_settings, InProcess(engines), lambda: all_settings) as server:
                url = f"http://127.0.0.1:{server.port}"
                yield Serving(url, server.calls, engines, server.store, server.gate, server)


@dataclass
class ServingEmbedded:
    """A running server over the embedded engines, each in its process."""

    engines: Engines
    settings: Settings
    url: str = field(init=False)
    calls: Calls = field(init=False)
    switchboard: Switchboard[Any] = field(init=False)
    store: Store = field(init=False)

    async def reload(self, **settings: Any) -> Exchanged:
        """As if the operator had changed these settings, and told the server."""
        self.settings = self.settings.model_copy(update=settings)
        return await self.switchboard.reload()


@asynccontextmanager
async def serving_embedded(**settings: Any) -> AsyncIterator[ServingEmbedded]:
    """The product as it comes, on a free port."""
    with TemporaryDirectory() as data:
        all_settings = Settings(**{"port": 0, "data_dir": data, **NEVER_BUSY, **settings})
        async with Engines(all_settings) as engines:
            serving = ServingEmbedded(engines, all_settings)
            async with running(all_settings, engines, lambda: serving.settings) as server:
                serving.url = f"http://127.0.0.1:{server.port}"
                serving.calls, serving.switchboard = server.calls, server.switchboard
                serving.store = server.store
                yield serving
