"""Proof that a speech nobody waits for is broken off within a clause."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from inzwa_rtc.engines.contracts import SpeechRequest
from tests.engines.contract.tts import GUARD_S


async def stops_within_a_clause(engine: Any, layers: Any) -> None:
    """Hang up when these layers have been asked for twice: they are not asked for again."""
    calls = 0
    is_in, may_go_on = threading.Event(), threading.Event()

    def counted(*_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            is_in.set()
            assert may_go_on.wait(GUARD_S)

    watches = [layer.register_forward_hook(counted) for layer in layers]
    try:
        request = SpeechRequest("The river listens.")
        speaking = asyncio.create_task(_listen(engine, request))
        async with asyncio.timeout(GUARD_S):
            await asyncio.to_thread(is_in.wait, GUARD_S)
        assert is_in.is_set()
        speaking.cancel()
        await asyncio.wait({speaking})
        may_go_on.set()
        # What is done next in the engine's one thread is done once the speech has ended.
        async with asyncio.timeout(GUARD_S):
            await asyncio.get_running_loop().run_in_executor(engine._mouth._thread, int)
        assert calls == 2
    finally:
        may_go_on.set()
        for watch in watches:
            watch.remove()


async def _listen(engine: Any, request: SpeechRequest) -> None:
    async for _ in engine.synthesize(request):
        pass
