"""Engines of one kind in their processes, started together and watched over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog

from inzwa_rtc.engines.process import EngineProcess
from inzwa_rtc.engines.socket_folder import sweep

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def supervised(processes: Sequence[EngineProcess]) -> AsyncIterator[None]:
    """Keep engines of one kind running while the block does.

    Entering loads all of them at the same time. One must load: the error of the first is
    raised where none does, as `Child.start` raises it; the others are tried again and again.
    Leaving ends their processes. The block's own error leaves as it is, in no group.
    """
    sweep()
    failure: Exception | None = None
    try:
        await _start_one_of(processes)
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
