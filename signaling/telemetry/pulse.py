"""Feels the server's pulse: how late its loop is, and how the lines of its calls are."""

from __future__ import annotations

import asyncio
from typing import NoReturn

from signaling.calls import Calls
from signaling.telemetry.telemetry import Telemetry

EVERY_S = 0.25  # a stall that calls would hear is seldom missed
REPORT_EVERY = 20  # beats: 5 s, as often as RTCP reports


async def feel(telemetry: Telemetry, calls: Calls) -> NoReturn:
    """Again and again, until cancelled."""
    loop = asyncio.get_running_loop()
    beats = 0
    while True:
        due = loop.time() + EVERY_S
        await asyncio.sleep(EVERY_S)
        telemetry.lag.observe(max(0.0, loop.time() - due))
        beats += 1
        if beats % REPORT_EVERY == 0:
            calls.report_lines()
