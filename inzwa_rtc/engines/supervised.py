"""The server's three engines, each in its own supervised process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from inzwa_rtc.engines.client import LanguageModelClient, RecognizerClient, SynthesizerClient
from inzwa_rtc.engines.contracts import EngineKind
from inzwa_rtc.engines.launch import Launch
from inzwa_rtc.engines.process import EngineProcess, ProcessState
from inzwa_rtc.engines.registry import specs
from inzwa_rtc.engines.socket_folder import sweep
from inzwa_rtc.settings import Settings


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """How an engine's process is. `restarts` counts from the start of the server."""

    name: str
    state: ProcessState
    restarts: int
    pid: int | None


class Engines:
    """`asr`, `llm` and `tts`, ready for use within `async with` (see `supervised`)."""

    def __init__(self, settings: Settings) -> None:
        self._processes: dict[EngineKind, EngineProcess] = {
            kind: EngineProcess(
                Launch(
                    spec=spec,
                    options=options,
                    max_concurrent=settings.tts_max_concurrent if kind == "tts" else None,
                    log_json=settings.log_json,
                ),
                start_timeout_s=settings.timeouts.engine_start,
            )
            for kind, (spec, options) in specs(settings).items()
        }
        self.asr = RecognizerClient(self._processes["asr"])
        self.llm = LanguageModelClient(self._processes["llm"])
        self.tts = SynthesizerClient(self._processes["tts"])
        self._life = supervised(*self._processes.values())

    def status(self) -> dict[EngineKind, EngineStatus]:
        """How each engine's process is now."""
        return {
            kind: EngineStatus(process.spec.name, process.state, process.restarts, process.pid)
            for kind, process in self._processes.items()
        }

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
async def supervised(*processes: EngineProcess) -> AsyncIterator[None]:
    """Keep engines running while the block does.

    Entering loads all of them at the same time and raises the first error, as `Child.start`
    does; leaving ends their processes. The block's own error leaves as it is, in no group.
    """
    sweep()
    failure: Exception | None = None
    try:
        await _start(processes)
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


async def _start(processes: tuple[EngineProcess, ...]) -> None:
    try:
        async with asyncio.TaskGroup() as starting:
            for process in processes:
                starting.create_task(process.start())
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


async def _close(processes: tuple[EngineProcess, ...]) -> None:
    async with asyncio.TaskGroup() as closing:
        for process in processes:
            closing.create_task(process.close())
