"""The speech engine by itself, for commands that speak without a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from logging import WARNING, getLogger
from typing import Any, Protocol

import click

from inzwa_rtc import logging
from inzwa_rtc.engines.contracts import NamingSynthesizer, Synthesizer
from inzwa_rtc.errors import ConfigError
from inzwa_rtc.settings import Settings

SLOW_S = 1.5  # what takes longer is told of

engine_name = click.option(
    "--engine", metavar="NAME", help="Speech engine; without it those that the settings name."
)


class NamedSynthesizer(Synthesizer, NamingSynthesizer, Protocol):
    """A synthesizer that tells which engine speaks, and with which model."""


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


@contextmanager
def told_if_slow(what: str, after_s: float = SLOW_S) -> Iterator[None]:
    """Say on standard error what is waited for, unless the block is over before."""
    loop = asyncio.get_running_loop()
    telling = loop.call_later(after_s, lambda: click.echo(f"{what} ...", err=True))
    try:
        yield
    finally:
        telling.cancel()


@asynccontextmanager
async def speech_engine(settings: Settings) -> AsyncIterator[NamedSynthesizer]:
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
    names = ", ".join(process.spec.name for process in processes)
    async with AsyncExitStack() as stack:
        with told_if_slow(f"Loading: {names}"):
            try:
                await stack.enter_async_context(supervised(processes))
            except ConfigError as error:
                raise _with_advice(error, settings) from None
        clients = [(process.spec.name, SynthesizerClient(process)) for process in processes]
        if len(clients) == 1:
            yield clients[0][1]
        else:
            yield FallbackSynthesizer(clients, first_audio_s=plan.answer_s)


def _with_advice(error: ConfigError, settings: Settings) -> ConfigError:
    """An engine named on the command line may lack its model: what the settings name is another
    engine's."""
    if settings.tts_model is not None or "`tts.model`" not in error.message:
        return error
    where = "Set `tts_model` and `tts_engine` together: in a settings file, or by `--set`."
    return ConfigError(error.message, action=f"{where} {error.action}".strip(), code=error.code)
