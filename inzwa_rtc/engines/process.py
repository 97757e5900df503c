"""The supervisor of one engine's process: it is started, watched, ended and started again.

A process that ends is replaced (see `RestartPolicy`). One that does not answer
`/healthz` for `HANG_S` seconds - stopped, or with the interpreter's lock held for good -
is killed, and so replaced. Either way its requests fail at once, because its sockets
close; later ones wait in `ready()` for its successor.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import aiohttp
import structlog

from inzwa_rtc.engines.child import Child
from inzwa_rtc.engines.host import HostState
from inzwa_rtc.engines.launch import Launch
from inzwa_rtc.engines.registry import EngineSpec
from inzwa_rtc.engines.restart import RestartPolicy
from inzwa_rtc.errors import EngineUnavailable, InzwaError

PROBE_EVERY_S = 0.25
HANG_S = 2.0
"""With the slowest embedded engine's start, about 1.5 s, a hang is over within 5 s."""

_TOLD = ("model", "instead_of", "device", "compute", "threads")
"""What the log says of an engine's choices, where it tells them."""

_log = structlog.get_logger(__name__)


class EngineProcess:
    """One engine in its own process, from `start` to `close`.

    Its owner runs `supervise` as a task of its own in between; `supervised` does all that
    for engines which live and end together.
    """

    def __init__(self, launch: Launch, *, start_timeout_s: float = 60.0) -> None:
        self.restarts = 0
        self.in_flight = 0  # requests that are under way, counted by who sends them
        self.state: HostState = "starting"
        self.launch = launch
        self.start_timeout_s = start_timeout_s
        self._policy = RestartPolicy()
        self._child: Child | None = None
        self._settled = asyncio.Event()  # ready, or never to be
        self._description: Mapping[str, Any] = {}

    @property
    def spec(self) -> EngineSpec:
        """Which engine it is."""
        return self.launch.spec

    @property
    def pid(self) -> int | None:
        """The process that serves requests now, if there is one."""
        return self._child.pid if self._child else None

    @property
    def description(self) -> Mapping[str, Any]:
        """What the engine said of itself when it was last ready: name, sample rate, voices."""
        return self._description

    @property
    def model(self) -> str:
        """The model that it has loaded, as it tells it; empty where it tells none."""
        return str(self._description.get("details", {}).get("model", ""))

    @contextmanager
    def request(self) -> Iterator[None]:
        """A request is under way while the block runs."""
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1

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
        """Load the engine for the first time. Raises what `Child.start` raises."""
        try:
            await self._start_child(self.launch)
        except BaseException:
            self._settle("failed")
            raise

    async def supervise(self) -> None:
        """Keep the engine running until cancelled, whatever keeps it from starting again."""
        while True:
            answered_s = 0.0
            if self._child is not None:
                answered_s = await self._watch(self._child)
                await self._drop_child(self._child)
            await asyncio.sleep(self._policy.delay_after(answered_s))
            self.restarts += 1
            try:
                await self._start_child(self.launch.in_haste())  # callers wait for it
            except InzwaError as error:
                _log.error("engine.not_restarted", **self._names(), reason=str(error))

    async def close(self) -> None:
        """End the process; requests that run or wait fail."""
        self._settle("failed" if self.state == "failed" else "stopped")
        child, self._child = self._child, None
        if child is not None:
            await child.close()

    async def _start_child(self, launch: Launch) -> None:
        child = await Child.start(launch, timeout_s=self.start_timeout_s)
        self._child = child
        self._description = child.description
        self._settle("ready")
        details = child.description.get("details", {})
        told = {name: details[name] for name in _TOLD if name in details}
        _log.info("engine.ready", **self._names(), **told, pid=child.pid, restarts=self.restarts)

    async def _watch(self, child: Child) -> float:
        """Return when the process has ended; end it if it hangs. Returns for how many
        seconds it answered."""
        loop = asyncio.get_running_loop()
        since = loop.time()
        async with asyncio.TaskGroup() as tasks:
            probing = tasks.create_task(self._kill_when_hung(child))
            await child.exited()
            ended = loop.time()
            hung = probing.done()
            probing.cancel()
        return ended - since - (HANG_S if hung else 0.0)

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

    def _settle(self, state: HostState) -> None:
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
