"""What tests of exchanges share: engines that the settings name, and what became of them."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psutil

from inzwa_rtc.engines.contracts import EngineKind, TokenChunk
from inzwa_rtc.engines.lineup import Engines, Lineup
from inzwa_rtc.engines.registry import Chosen
from tests.support.left_running import left_running

if TYPE_CHECKING:
    from .conftest import Boundary

Named = dict[EngineKind, tuple[Chosen, ...]]


def rename(named: Named, kind: EngineKind, options: dict[str, Any]) -> None:
    """Let the settings name one engine with these options."""
    named[kind] = (replace(named[kind][0], options=options),)


def chain(named: Named, kind: EngineKind, **options: dict[str, Any]) -> None:
    """Let the settings name engines of these names and options, the first one preferred."""
    spec = named[kind][0].spec
    named[kind] = tuple(
        Chosen(replace(spec, name=name), of_one) for name, of_one in options.items()
    )


def pids(engines: Engines) -> dict[EngineKind, int | None]:
    """The processes in use that answer."""
    return {kind: status.pid for kind, status in engines.status().items()}


def pids_of(engines: Engines, kind: EngineKind) -> dict[str, int | None]:
    """Those of all engines of a kind, by name."""
    status = engines.status()[kind]
    return {one.name: one.pid for one in (status, *status.others)}


def children() -> set[int]:
    """All processes that there are."""
    return {child.pid for child in left_running()}


async def ended(pid: int | None) -> None:
    """Return when this process has."""
    assert pid is not None
    async with asyncio.timeout(60):
        while psutil.pid_exists(pid):  # noqa: ASYNC110 - who ends it tells nobody
            await asyncio.sleep(0.01)


async def said(lineup: Lineup, boundary: Boundary, text: str) -> str:
    """What the language model answers."""
    async with aclosing(lineup.llm.reply(boundary.request(text))) as chunks:
        return "".join([chunk.token async for chunk in chunks if isinstance(chunk, TokenChunk)])
