"""Engines of one kind in their places, started together and watched over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog

from inzwa_rtc.engines.host import EngineHost
from inzwa_rtc.errors import ConfigError, EngineUnavailable

_log = structlog.get_logger(__name__)


class Supervision:
    """The whole life of one engine's host (its process, nearly always), which its owner runs as a
    task and ends by cancelling it.

    `started` is settled once the engine is loaded, or cannot be: then it holds the reason.
    """

    def __init__(self, host: EngineHost) -> None:
        self.host = host
        self.started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._persists = asyncio.Event()

    def persist(self) -> None:
        """Try again and again to load an engine that did not load at first."""
        self._persists.set()

    async def run(self) -> None:
        """Start the process, keep it running until cancelled, and leave nothing of it."""
        try:
            try:
                await self.host.start()
            except Exception as error:  # noqa: BLE001 - told to those who wait for it
                self.started.set_exception(error)
                self.started.exception()  # told, be anybody waiting for it or not
                await self._persists.wait()
            else:
                self.started.set_result(None)
            await self.host.supervise()
        finally:
            self.started.cancel()
            await self.host.close()


async def one_started(supervisions: Sequence[Supervision]) -> None:
    """Return once all that can be loaded is. One is enough; the others are tried again and again.

    Raises the error of the first where none is loaded, as `Child.start` raises it. Options that
    an engine cannot use do not mend themselves: their `ConfigError` is raised in any case.
    """
    await asyncio.wait({supervision.started for supervision in supervisions})
    if any(supervision.started.cancelled() for supervision in supervisions):
        raise EngineUnavailable(
            "An engine was ended while it was loading.", action="Start the server again."
        )
    failed = {
        one: error
        for one in supervisions
        if (error := one.started.exception()) and one.host.state != "ready"
    }
    for error in failed.values():
        if isinstance(error, ConfigError):
            raise error
    if len(failed) == len(supervisions):
        raise next(iter(failed.values()))
    for supervision, error in failed.items():
        reason = str(error) or type(error).__name__
        _log.error("engine.not_started", engine=supervision.host.spec.name, reason=reason)
        supervision.persist()


@asynccontextmanager
async def supervised(hosts: Sequence[EngineHost]) -> AsyncIterator[None]:
    """Keep engines of one kind running while the block does.

    Entering loads all of them at the same time, and raises what `one_started` raises. Leaving
    ends their processes. The block's own error leaves as it is, in no group.
    """
    failure: Exception | None = None
    async with asyncio.TaskGroup() as tasks:
        supervisions = [Supervision(host) for host in hosts]
        running = [tasks.create_task(supervision.run()) for supervision in supervisions]
        try:
            await one_started(supervisions)
            yield
        except Exception as error:  # noqa: BLE001 - raised again, outside the group
            failure = error
        for task in running:
            task.cancel()
    if failure is not None:
        raise failure
