"""The server's engines, each in its own supervised process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import structlog

from inzwa_rtc.engines.client import LanguageModelClient, RecognizerClient, SynthesizerClient
from inzwa_rtc.engines.contracts import EngineKind, LanguageModel, Recognizer, Synthesizer
from inzwa_rtc.engines.fallback import (
    FallbackLanguageModel,
    FallbackRecognizer,
    FallbackSynthesizer,
)
from inzwa_rtc.engines.launch import Launch
from inzwa_rtc.engines.process import EngineProcess, ProcessState
from inzwa_rtc.engines.registry import Chosen, chosen
from inzwa_rtc.engines.socket_folder import sweep
from inzwa_rtc.settings import Settings

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """How an engine's process is. `restarts` counts from the start of the server."""

    name: str
    state: ProcessState
    restarts: int
    pid: int | None


class Engines:
    """`asr`, `llm` and `tts`, ready for use within `async with` (see `supervised`).

    Where the settings name several engines of a kind, each has its process, and the first
    that works answers.
    """

    def __init__(self, settings: Settings) -> None:
        self._processes = {
            kind: tuple(_process(settings, kind, engine) for engine in engines)
            for kind, engines in chosen(settings).items()
        }
        timeouts = settings.timeouts
        asr, llm, tts = (self._processes[kind] for kind in ("asr", "llm", "tts"))
        self.asr: Recognizer = (
            RecognizerClient(asr[0])
            if len(asr) == 1
            else FallbackRecognizer(
                [(process.spec.name, RecognizerClient(process)) for process in asr],
                final_s=timeouts.recognition,
            )
        )
        self.llm: LanguageModel = (
            LanguageModelClient(llm[0])
            if len(llm) == 1
            else FallbackLanguageModel(
                [(process.spec.name, LanguageModelClient(process)) for process in llm],
                first_token_s=timeouts.first_token,
            )
        )
        self.tts: Synthesizer = (
            SynthesizerClient(tts[0])
            if len(tts) == 1
            else FallbackSynthesizer(
                [(process.spec.name, SynthesizerClient(process)) for process in tts],
                first_audio_s=timeouts.first_audio,
            )
        )
        self._life = supervised(*self._processes.values())

    def status(self) -> dict[EngineKind, EngineStatus]:
        """How the process of each kind's preferred engine is now; of several, of the first that
        is ready."""
        return {kind: _status(processes) for kind, processes in self._processes.items()}

    async def __aenter__(self) -> Self:
        await self._life.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._life.__aexit__(kind, error, trace)


@asynccontextmanager
async def supervised(*kinds: Sequence[EngineProcess]) -> AsyncIterator[None]:
    """Keep engines running while the block does.

    Entering loads all of them at the same time. Of each sequence one must load: the error of
    its first is raised where none does, as `Child.start` raises it; the others are tried
    again and again. Leaving ends their processes. The block's own error leaves as it is, in
    no group.
    """
    sweep()
    processes = [process for kind in kinds for process in kind]
    failure: Exception | None = None
    try:
        await _start(kinds)
        async with asyncio.TaskGroup() as supervision:
            tasks = [supervision.create_task(process.supervise()) for process in processes]
            try:
                yield
            except Exception as error:  # noqa: BLE001 - raised again, outside the group
                failure = error
            for task in tasks:
                task.cancel()
    finally:
        await _close(processes)
    if failure is not None:
        raise failure


def _process(settings: Settings, kind: EngineKind, engine: Chosen) -> EngineProcess:
    launch = Launch(
        spec=engine.spec,
        options=engine.options,
        python=engine.python,
        max_concurrent=settings.tts_max_concurrent if kind == "tts" else None,
        log_json=settings.log_json,
    )
    return EngineProcess(launch, start_timeout_s=settings.timeouts.engine_start)


def _status(processes: Sequence[EngineProcess]) -> EngineStatus:
    ready = (process for process in processes if process.state == "ready")
    process = next(ready, processes[0])
    return EngineStatus(process.spec.name, process.state, process.restarts, process.pid)


async def _start(kinds: Sequence[Sequence[EngineProcess]]) -> None:
    try:
        async with asyncio.TaskGroup() as starting:
            for processes in kinds:
                starting.create_task(_start_one_of(processes))
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


async def _start_one_of(processes: Sequence[EngineProcess]) -> None:
    outcomes = await asyncio.gather(
        *(process.start() for process in processes), return_exceptions=True
    )
    failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    if len(failures) == len(processes):
        raise failures[0]
    for failure in failures:
        _log.error("engine.not_started", reason=str(failure) or type(failure).__name__)


async def _close(processes: Sequence[EngineProcess]) -> None:
    async with asyncio.TaskGroup() as closing:
        for process in processes:
            closing.create_task(process.close())
