"""The speech engine by itself, for commands that speak without a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from logging import WARNING, getLogger
from typing import Any

import click

from inzwa_rtc import logging
from inzwa_rtc.engines.contracts import Synthesizer
from inzwa_rtc.settings import Settings

engine_name = click.option(
    "--engine", metavar="NAME", help="Speech engine; without it those that the settings name."
)


def quietly() -> None:
    """Log what goes wrong on standard error, and nothing else."""
    logging.configure(as_json=False)
    getLogger("inzwa_rtc.engines").setLevel(WARNING)


def with_engine(settings: Settings, name: str | None) -> Settings:
    """The settings with this speech engine alone. Its options are those that the settings hold
    for it, if they do."""
    named = settings.tts_engine
    if name is None or name == named:
        return settings
    given: dict[str, Any] = {"tts_engine": name, "tts_voice": None, "tts_model": None}
    has_own = not isinstance(named, str) and name in named
    given["tts"] = settings.tts.get(name, {}) if has_own else {}
    return settings.model_copy(update=given)


@asynccontextmanager
async def speech_engine(settings: Settings) -> AsyncIterator[Synthesizer]:
    """The engine that the settings name, in a process of its own, or several that stand in for
    each other. Raises `ConfigError` and `EngineError`."""
    # Imported late: the other commands have no use for engines.
    from inzwa_rtc.engines import registry
    from inzwa_rtc.engines.client import SynthesizerClient
    from inzwa_rtc.engines.fallback_speech import FallbackSynthesizer
    from inzwa_rtc.engines.group import Plan
    from inzwa_rtc.engines.process import EngineProcess
    from inzwa_rtc.engines.supervised import supervised

    chosen = await asyncio.to_thread(registry.chosen, settings)
    plan = Plan.of(settings, "tts", chosen["tts"])
    processes = [EngineProcess(launch, start_timeout_s=plan.start_s) for launch in plan.launches]
    async with supervised(processes):
        clients = [(process.spec.name, SynthesizerClient(process)) for process in processes]
        if len(clients) == 1:
            yield clients[0][1]
        else:
            yield FallbackSynthesizer(clients, first_audio_s=plan.answer_s)
