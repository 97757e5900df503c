"""How each engine is, and how much memory it takes."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import psutil
from aiohttp import web
from pydantic import BaseModel

from signaling.api.operation import Answer, Operation
from signaling.switchboard import EngineStatus, Switchboard


class EngineState(BaseModel):
    """One engine now. `memory_mb` is its share of the machine's memory (PSS: what it shares with
    others is divided among them), where the system tells."""

    kind: str
    name: str
    state: str
    model: str
    restarts: int
    breaker: str | None
    in_flight: int
    pid: int | None
    memory_mb: float | None


class EngineStateList(BaseModel):
    """All engines, the preferred one of each kind first, and the memory of the server itself."""

    engines: list[EngineState]
    server_memory_mb: float | None


class EngineStates:
    """The handler of `/v1/admin/engines`."""

    def __init__(self, switchboard: Switchboard[Any]) -> None:
        self._switchboard = switchboard

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        return [
            Operation(
                *("GET", "/v1/admin/engines", self.show, "How each engine is"),
                access="admin",
                tag="admin",
                answers=(Answer(200, "All of them.", EngineStateList),),
            )
        ]

    async def show(self, _request: web.Request) -> web.Response:
        """State, model, restarts, circuit breaker, requests under way and memory."""
        found = [
            (kind, one)
            for kind, status in self._switchboard.status().items()
            for one in (status, *status.others)
        ]
        pids = [os.getpid(), *(one.pid for _, one in found)]
        # The kernel walks all pages of a process for this: tens of ms for a large model.
        own, *memory = await asyncio.to_thread(lambda: [memory_mb(pid) for pid in pids])
        told = EngineStateList(
            engines=[
                _state(kind, one, taken) for (kind, one), taken in zip(found, memory, strict=True)
            ],
            server_memory_mb=own,
        )
        return web.json_response(told.model_dump())


def memory_mb(pid: int | None) -> float | None:
    """The memory of a process and its children, None where it is gone or nobody tells. Blocks."""
    if pid is None:
        return None
    try:
        process = psutil.Process(pid)
        family = [process] if pid == os.getpid() else [process, *process.children(recursive=True)]
        taken = sum(_bytes(one) for one in family)
    except psutil.Error:
        return None
    return round(taken / 2**20, 1)


def _bytes(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
    except psutil.AccessDenied:
        return int(process.memory_info().rss)
    return int(getattr(full, "pss", full.uss))


def _state(kind: str, one: EngineStatus, taken: float | None) -> EngineState:
    return EngineState(
        kind=kind,
        name=one.name,
        state=one.state,
        model=one.model,
        restarts=one.restarts,
        breaker=one.breaker,
        in_flight=one.in_flight,
        pid=one.pid,
        memory_mb=taken,
    )
