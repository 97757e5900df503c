"""Engines in their own processes, started as the server starts them, without the server."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from inzwa_rtc.engines.contracts import EngineKind
from inzwa_rtc.engines.launch import Launch
from inzwa_rtc.engines.process import EngineProcess
from inzwa_rtc.engines.registry import EngineSpec, chosen
from inzwa_rtc.engines.supervised import supervised
from inzwa_rtc.settings import Settings

START_S = 120.0
SETTLE_S = 0.3
"""After each measurement: threads that wait for more work burn CPU time for 200 ms."""

_ROOT = Path(__file__).resolve().parents[1]
_MIB = 2**20


def engine(kind: EngineKind, name: str, options: Mapping[str, Any]) -> EngineProcess:
    """The engine that the configuration would name so, with these options."""
    settings = Settings.model_validate({f"{kind}_engine": name, kind: dict(options)})
    (one,) = chosen(settings)[kind]
    launch = Launch(spec=one.spec, options=one.options, python=one.python)
    return EngineProcess(launch, start_timeout_s=START_S)


@asynccontextmanager
async def all_running(processes: Iterable[EngineProcess]) -> AsyncIterator[None]:
    """Each of them, or the first error: none stands in for another."""
    async with AsyncExitStack() as stack:
        for process in processes:
            await stack.enter_async_context(supervised([process]))
        yield


def own_engine(
    kind: EngineKind, name: str, place: str, options: Mapping[str, Any]
) -> EngineProcess:
    """An engine of the benchmarks', whose class is at `package.module:Class`."""
    launch = Launch(spec=EngineSpec(kind, name, place), options=options)
    return EngineProcess(launch, start_timeout_s=START_S)


def let_children_import_benchmarks() -> None:
    """A child looks for packages in no working folder."""
    paths = [str(_ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)


@dataclass(frozen=True, slots=True)
class Memory:
    """What a process takes, in MiB: `resident` in all, `own` of it shared with no other and
    not to be read from a file again."""

    resident: float
    own: float


def memory(process: EngineProcess) -> Memory:
    """Of an engine's process, now."""
    info = _handle(process).memory_full_info()
    own = info.rss - getattr(info, "shared", 0)
    return Memory(info.rss / _MIB, own / _MIB)


def cpu_ms(process: EngineProcess) -> float:
    """CPU time that an engine's process has taken so far; counted in steps of 10 ms."""
    times = _handle(process).cpu_times()
    return 1000 * float(times.user + times.system)


async def settled() -> None:
    """Return when what was measured has no after-effects."""
    await asyncio.sleep(SETTLE_S)


def _handle(process: EngineProcess) -> psutil.Process:
    assert process.pid is not None
    return psutil.Process(process.pid)
