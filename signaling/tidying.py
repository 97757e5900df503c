"""Gives the memory of calls back once nobody calls, when a pause harms least."""

from __future__ import annotations

import asyncio
import gc
from typing import NoReturn

from inzwa_rtc.machine import memory
from signaling.calls import Calls

REST_S = 1.0
"""For so long nobody has called: what ends and begins again at once is left in peace, and so is a
server that ends."""


async def tidy(calls: Calls) -> NoReturn:
    """Each time that the last call has ended, until cancelled. What calls hold in circles would
    else stay until the next full collection, and what is freed in the C library's heap. Takes
    some 10 ms of the loop."""
    while True:
        await calls.any_begun()
        await calls.all_ended()
        await asyncio.sleep(REST_S)
        if not len(calls):
            gc.collect()
            await asyncio.to_thread(memory.give_back)
