"""A whole server in process, over engines of the test's choosing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from inzwa_rtc.conversation.stages import EngineSet
from inzwa_rtc.engines.supervised import Engines
from inzwa_rtc.settings import Settings
from signaling.calls import Calls
from signaling.serve import running
from tests.support.engines import ScriptedModel, ScriptedRecognizer, ToneSynthesizer


@dataclass
class Ready:
    """An engine that is always well."""

    name: str = "test"
    state: str = "ready"
    restarts: int = 0


@dataclass
class Serving:
    """A running server and its parts."""

    url: str
    calls: Calls
    engines: EngineSet


@asynccontextmanager
async def serving(
    asr: Any = None, llm: Any = None, tts: Any = None, **settings: Any
) -> AsyncIterator[Serving]:
    """A server on the loopback interface, on a free port unless one is given."""
    engines = EngineSet(
        asr or ScriptedRecognizer(), llm or ScriptedModel(), tts or ToneSynthesizer()
    )
    all_settings = Settings(**{"port": 0, **settings})
    async with running(all_settings, engines, lambda: {"asr": Ready()}) as server:
        yield Serving(f"http://127.0.0.1:{server.port}", server.calls, engines)


@dataclass
class ServingEmbedded:
    """A running server over the embedded engines, each in its process."""

    url: str
    calls: Calls
    engines: Engines


@asynccontextmanager
async def serving_embedded(**settings: Any) -> AsyncIterator[ServingEmbedded]:
    """The product as it comes, on a free port."""
    all_settings = Settings(port=0, **settings)
    async with Engines(all_settings) as engines:
        parts = EngineSet(engines.asr, engines.llm, engines.tts)
        async with running(all_settings, parts, engines.status) as server:
            yield ServingEmbedded(f"http://127.0.0.1:{server.port}", server.calls, engines)
