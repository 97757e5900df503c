"""Threads for functions that block, and that nobody can end.

They are daemons: a function that hangs does not keep the process from ending, as a thread of the
standard library's pools would, which is waited for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

_Work = tuple[Future[Any], Callable[[], Any]]


class Threads:
    """At most `most` at once, each started when it is first needed. What comes while all of them
    are busy waits in order, until its asker cancels it: no asker waits longer than for a tool."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: SimpleQueue[_Work] = SimpleQueue()
        self._started = 0
        self._open = 0  # asked for, and not done
        self._lock = threading.Lock()

    def submit(self, call: Callable[[], Any]) -> Future[Any]:
        """Have it called. Once it runs, cancelling the future has no effect."""
        future: Future[Any] = Future()
        with self._lock:
            self._open += 1
            is_short = self._started < min(self._open, self._most)
            self._started += is_short
        self._waiting.put((future, call))
        if is_short:
            threading.Thread(target=self._work, name="tool", daemon=True).start()
        return future

    def _work(self) -> None:
        while True:
            future, call = self._waiting.get()
            if future.set_running_or_notify_cancel():
                try:
                    result = call()
                except BaseException as error:  # noqa: BLE001 - whoever waits is told
                    future.set_exception(error)
                else:
                    future.set_result(result)
            with self._lock:
                self._open -= 1
            del future, call  # what was asked does not stay until the next comes
