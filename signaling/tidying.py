"""Gives the memory of calls back once nobody calls, when a pause harms nobody."""

from __future__ import annotations

import asyncio
import gc
from typing import NoReturn

from inzwa_rtc.machine.memory import give_back
from signaling.calls import Calls


async def tidy(calls: Calls) -> NoReturn:
    """Each time that the last call has ended, until cancelled. What calls hold in circles would
    else stay until the next full collection, and what is freed in the C library's heap."""
    while True:
        await calls.any_begun()
        await calls.all_ended()
        gc.collect()
        await asyncio.to_thread(give_back)
