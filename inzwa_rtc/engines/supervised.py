"""The server's three engines, each in its own supervised process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self

from inzwa_rtc.engines.client import LanguageModelClient, RecognizerClient, SynthesizerClient
from inzwa_rtc.engines.contracts import EngineKind
from inzwa_rtc.engines.process import EngineProcess, ProcessState
from inzwa_rtc.engines.registry import specs
from inzwa_rtc.settings import Settings


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """How an engine's process is. `restarts` counts from the start of the server."""

    name: str
    state: ProcessState
    restarts: int
    pid: int | None


class Engines:
    """`asr`, `llm` and `tts`, ready for use within `async with`.

    Entering loads all three at the same time and raises the first `EngineUnavailable`
    or `ConfigError` as it is; leaving ends their processes.
    """

    def __init__(
        self, settings: Settings, *, on_ready: Callable[[EngineKind], None] | None = None
    ) -> None:
        self._processes: dict[EngineKind, EngineProcess] = {
            kind: EngineProcess(
                spec,
                options,
                start_timeout_s=settings.timeouts.engine_start,
                max_concurrent=settings.tts_max_concurrent if kind == "tts" else None,
                on_ready=None if on_ready is None else partial(on_ready, kind),
            )
            for kind, (spec, options) in specs(settings).items()
        }
        self.asr = RecognizerClient(self._processes["asr"])
        self.llm = LanguageModelClient(self._processes["llm"])
        self.tts = SynthesizerClient(self._processes["tts"])
        self._supervision = asyncio.TaskGroup()
        self._supervising: list[asyncio.Task[None]] = []

    def status(self) -> dict[EngineKind, EngineStatus]:
        return {
            kind: EngineStatus(process.spec.name, process.state, process.restarts, process.pid)
            for kind, process in self._processes.items()
        }

    async def __aenter__(self) -> Self:
        try:
            await self._start()
            await self._supervision.__aenter__()
        except BaseException:
            await self._close()
            raise
        for process in self._processes.values():
            self._supervising.append(self._supervision.create_task(process.supervise()))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._supervising:
            task.cancel()
        try:
            if isinstance(error, asyncio.CancelledError):
                await self._supervision.__aexit__(kind, error, trace)
            else:
                # The body's own error must reach the caller as it is, in no group.
                await self._supervision.__aexit__(None, None, None)
        finally:
            await self._close()

    async def _start(self) -> None:
        try:
            async with asyncio.TaskGroup() as starting:
                for process in self._processes.values():
                    starting.create_task(process.start())
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None

    async def _close(self) -> None:
        async with asyncio.TaskGroup() as closing:
            for process in self._processes.values():
                closing.create_task(process.close())
