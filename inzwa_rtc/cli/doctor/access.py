"""Who is let in."""

from __future__ import annotations

import asyncio

from inzwa_rtc.cli.doctor.finding import Finding
from inzwa_rtc.errors import ConfigError
from inzwa_rtc.settings import Settings
from inzwa_rtc.store import opened, place_of
from signaling.access.opening import check_start, is_for_this_machine

NAME = "access"


def access(settings: Settings) -> Finding:
    """A server that others reach needs a key, or the word of its operator that it may be open."""
    if settings.access.open:
        if is_for_this_machine(settings):
            return Finding(NAME, "ok", "anybody who reaches the server may call")
        return Finding(
            NAME,
            "warning",
            "anybody who reaches the server may call",
            "Leave `access.open` out and make keys (docs/access.md), unless that is meant.",
        )
    if settings.access.open is None and is_for_this_machine(settings):
        return Finding(NAME, "ok", "whoever is on this machine may call, until a key is made")
    try:
        asyncio.run(_check(settings))
    except ConfigError as error:
        return Finding(NAME, "problem", error.message, error.action)
    return Finding(NAME, "ok", "whoever has a key or a token may call")


async def _check(settings: Settings) -> None:
    async with opened(place_of(settings)) as store:
        await check_start(settings, store.keys)
