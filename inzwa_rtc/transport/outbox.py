"""What goes to a client over a WebSocket, in order, on its way to the network."""

from __future__ import annotations

import asyncio
from collections import deque

MAX_MESSAGES = 512  # 10 s of frames: a client that does not read for so long is gone


class Outbox:
    """Written by a call's callbacks, which never wait; read by one sender.

    The end is a state, not a message: it needs no room, so that a sender ends even
    when a client that does not read has filled all of it.
    """

    def __init__(self) -> None:
        self._messages: deque[str | bytes] = deque()
        self._changed = asyncio.Event()
        self._closed = False

    def put(self, message: str | bytes) -> bool:
        """Add a message; False when there is no room for it."""
        if len(self._messages) >= MAX_MESSAGES:
            return False
        self._messages.append(message)
        self._changed.set()
        return True

    def close(self) -> None:
        """Nothing more comes; what waits is still to be sent."""
        self._closed = True
        self._changed.set()

    async def take(self) -> str | bytes | None:
        """The next message, when there is one; None after `close`, once none is left."""
        while not self._messages and not self._closed:
            self._changed.clear()
            await self._changed.wait()
        return self._messages.popleft() if self._messages else None
