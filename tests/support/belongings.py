"""What calls have of a process, to see that they give it back."""

from __future__ import annotations

import asyncio
import gc
import threading
from dataclasses import dataclass
from typing import Any

import psutil

from inzwa_rtc.conversation.resumable import Attachment, ResumablePeer
from inzwa_rtc.conversation.session import Session
from inzwa_rtc.transport.webrtc import WebRtcPeer
from inzwa_rtc.transport.websocket import SocketPeer

PATIENCE_S = 30  # far more than any of it takes on a busy machine
_OF_CALLS = (Session, ResumablePeer, Attachment, WebRtcPeer, SocketPeer)
_POOL = "asyncio_"  # threads that the loop keeps for later


@dataclass(frozen=True)
class Belongings:
    """How much of each there is: open files, threads, tasks, and objects of calls."""

    files: int
    threads: int
    tasks: int
    objects: tuple[str, ...]


def belongings() -> Belongings:
    """As it is now."""
    gc.collect()
    process = psutil.Process()
    of_calls = (one for one in gc.get_objects() if isinstance(one, _OF_CALLS))
    pooled = sum(thread.name.startswith(_POOL) for thread in threading.enumerate())
    return Belongings(
        process.num_fds(),
        process.num_threads() - pooled,
        len(asyncio.all_tasks()),
        tuple(sorted(type(one).__name__ for one in of_calls)),
    )


class Before:
    """The tasks that there were."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = asyncio.all_tasks()

    async def again(self) -> None:
        """Once all tasks that came later have ended, and what they closed is closed."""
        async with asyncio.timeout(PATIENCE_S):
            while later := asyncio.all_tasks() - self._tasks:
                await asyncio.wait(later)
        for _ in range(10):  # sockets are closed by callbacks of callbacks
            await asyncio.sleep(0)
