"""The supervisor of one engine's process: it is started, watched, ended and started again.

A process that ends is replaced (see `RestartPolicy`). One that does not answer
`/healthz` for `HANG_S` seconds - stopped, or with the interpreter's lock held for good -
is killed, and so replaced. Either way its requests fail at once, because its sockets
close; later ones wait in `ready()` for its successor.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, Self

import aiohttp
import structlog

from inzwa_rtc.engines.child import Child
from inzwa_rtc.engines.registry import EngineSpec
from inzwa_rtc.engines.restart import RestartPolicy
from inzwa_rtc.errors import EngineError, EngineUnavailable

ProcessState = Literal["starting", "ready", "restarting", "failed", "stopped"]

PROBE_EVERY_S = 0.5
HANG_S = 2.5

_log = structlog.get_logger(__name__)


class EngineProcess:
    """One engine in its own process, for as long as `async with` lasts.

    Entering waits until the engine is loaded and raises `EngineUnavailable`, with the
    engine's own message, when it cannot be. An owner with a `TaskGroup` calls
    `start`, `supervise` and `close` itself.

    `on_ready` is called, on the loop, each time that the engine is ready.
    """

    def __init__(
        self,
        spec: EngineSpec,
        options: Mapping[str, Any],
        *,
        start_timeout_s: float = 60.0,
        max_concurrent: int | None = None,
        on_ready: Callable[[], None] | None = None,
    ) -> None:
        self.spec = spec
        self.restarts = 0
        self.state: ProcessState = "starting"
        self._options = options
        self._start_timeout_s = start_timeout_s
        self._max_concurrent = max_concurrent
        self._on_ready = on_ready
        self._policy = RestartPolicy()
        self._child: Child | None = None
        self._settled = asyncio.Event()  # ready, or never to be
        self._description: Mapping[str, Any] = {}
        self._supervising: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process that serves requests now, if there is one."""
        return self._child.pid if self._child else None

    @property
    def description(self) -> Mapping[str, Any]:
        """What the engine said of itself when it was last ready: name, sample rate, voices."""
        return self._description

    async def ready(self) -> Child:
        """Wait for a process that serves requests.

        It may end at any moment: its `gone` tells. Raises `EngineUnavailable` when there
        will be none.
        """
        while self._child is None:
            if self.state in ("failed", "stopped"):
                raise EngineUnavailable(
                    f"The {self.spec.kind} engine `{self.spec.name}` is not running.",
                    action="Start the server again.",
                )
            await self._settled.wait()
        return self._child

    async def start(self) -> None:
        """Load the engine for the first time. Raises `EngineUnavailable` when it cannot be."""
        try:
            await self._start_child()
        except BaseException:
            self._settle("failed")
            raise

    async def supervise(self) -> None:
        """Keep the engine running until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            since = loop.time()
            if self._child is not None:
                await self._watch(self._child)
                ran_s = loop.time() - since
                await self._drop_child(self._child)
            else:
                ran_s = 0.0
            await asyncio.sleep(self._policy.delay_after(ran_s))
            self.restarts += 1
            try:
                await self._start_child()
            except EngineError as error:
                _log.error("engine.not_restarted", **self._names(), reason=str(error))

    async def close(self) -> None:
        """End the process; requests that run or wait fail."""
        self._settle("failed" if self.state == "failed" else "stopped")
        child, self._child = self._child, None
        if child is not None:
            await child.close()

    async def __aenter__(self) -> Self:
        await self.start()
        self._supervising = asyncio.create_task(self.supervise())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._supervising is not None
        self._supervising.cancel()
        try:
            await asyncio.wait({self._supervising})
        finally:
            await self.close()
        if not self._supervising.cancelled():
            self._supervising.result()

    async def _start_child(self) -> None:
        child = await Child.start(
            self.spec,
            self._options,
            max_concurrent=self._max_concurrent,
            timeout_s=self._start_timeout_s,
        )
        self._child = child
        self._description = child.description
        self._settle("ready")
        _log.info("engine.ready", **self._names(), pid=child.pid, restarts=self.restarts)
        if self._on_ready is not None:
            self._on_ready()

    async def _watch(self, child: Child) -> None:
        """Return when the process has ended; end it if it hangs."""
        async with asyncio.TaskGroup() as tasks:
            probing = tasks.create_task(self._kill_when_hung(child))
            await child.exited()
            probing.cancel()

    async def _kill_when_hung(self, child: Child) -> None:
        while True:
            await asyncio.sleep(PROBE_EVERY_S)
            if not await answers(child):
                _log.error("engine.hangs", **self._names(), pid=child.pid)
                child.kill()
                return

    async def _drop_child(self, child: Child) -> None:
        self._child = None
        self.state = "restarting"
        self._settled.clear()
        _log.error("engine.ended", **self._names(), pid=child.pid, ending=child.ending)
        await child.close()

    def _settle(self, state: ProcessState) -> None:
        self.state = state
        self._settled.set()

    def _names(self) -> dict[str, str]:
        return {"kind": self.spec.kind, "engine": self.spec.name}


async def answers(child: Child) -> bool:
    """Whether the process answers within `HANG_S`.

    Time is counted in short slices, so that a stall of this process (its loop blocked,
    the whole machine paused) counts as one slice and not as the child's silence.
    """
    probe = asyncio.create_task(child.health())
    try:
        for _ in range(round(HANG_S / PROBE_EVERY_S)):
            done, _ = await asyncio.wait({probe}, timeout=PROBE_EVERY_S)
            if done:
                # A refused or broken connection is not silence: a process that ended is
                # noticed as such, and a shortage of descriptors here is not its fault.
                with suppress(aiohttp.ClientError, OSError):
                    probe.result()
                return True
        return False
    finally:
        probe.cancel()
        await asyncio.wait({probe})
