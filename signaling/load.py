"""Watches how busy the machine is, for all calls, and how late their packets leave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NoReturn

import structlog

from inzwa_rtc.conversation.shedding import Shedding
from inzwa_rtc.machine.load import LoadMeter, MachineLoad
from signaling.media import Media

EVERY_S = 1.0

log = structlog.get_logger(__name__)


async def watch(
    shedding: Shedding, meter: LoadMeter, note: Callable[[MachineLoad], None] = lambda _: None
) -> NoReturn:
    """Read the meter again and again, until cancelled; `note` is told each load. Raises what
    keeps it from going on."""
    try:
        while True:
            await asyncio.sleep(EVERY_S)
            load = meter.read()
            tell(shedding, load)
            note(load)
    except Exception:  # whatever the system lacks: calls go on as on an idle machine
        tell(shedding, MachineLoad(0, 0))
        note(MachineLoad(0, 0))
        raise


async def admit(media: Media, load: Callable[[], MachineLoad]) -> NoReturn:
    """Judge again and again, until cancelled, whether there is room for one more call. Apart from
    `watch`: how late packets leave is known also where the load cannot be read."""
    while True:
        await asyncio.sleep(EVERY_S)
        judge(media, load())


def judge(media: Media, load: MachineLoad) -> None:
    """Say so where calls begin to be refused, and where they no longer are."""
    late_ms = media.clock.lateness.p99_ms
    change = media.admission.feed(load.cpu_percent, late_ms)
    if change is not None:
        log.warning(
            f"load.refusing_calls_{change}",
            cpu_percent=round(load.cpu_percent),
            late_ms=round(late_ms),
            calls=len(media.clock),
        )


def tell(shedding: Shedding, load: MachineLoad) -> None:
    """Say so where replies begin to be shortened, and where they no longer are."""
    change = shedding.feed(load.cpu_percent, load.memory_percent)
    if change is not None:
        log.warning(
            f"load.short_replies_{change}",
            cpu_percent=round(load.cpu_percent),
            memory_percent=round(load.memory_percent),
        )
