"""What the signals of the operating system ask of the server.

| signal             | asks                                                              |
|--------------------|-------------------------------------------------------------------|
| SIGTERM, SIGINT    | to stop once calls are over; a second one, to end them            |
| SIGHUP             | to read the configuration again; to stop where it came because    |
|                    | the terminal that the server was started in has gone              |
"""

from __future__ import annotations

import asyncio
import os
import signal

SAME_SIGNAL_S = 1.0


class Signals:
    """Before the start is done, a signal to stop ends it: the task that made this is cancelled.

    Repeats within `SAME_SIGNAL_S` are the same request: under `make`, one SIGTERM to the
    process group arrives twice, once from the group and once passed on.
    """

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.force = asyncio.Event()
        self.reload = asyncio.Event()
        self._starting = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        self._received_at = -SAME_SIGNAL_S
        self._had_terminal = _has_terminal()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._asked_to_stop)
        self._loop.add_signal_handler(signal.SIGHUP, self._hung_up)

    def started(self) -> None:
        """The start is done."""
        self._starting = None

    def _asked_to_stop(self) -> None:
        now = self._loop.time()
        is_repeat, self._received_at = now - self._received_at < SAME_SIGNAL_S, now
        if is_repeat:
            return
        (self.force if self.stop.is_set() else self.stop).set()
        if self._starting is not None:
            self._starting.cancel()

    def _hung_up(self) -> None:
        if self._had_terminal and not _has_terminal():
            self._asked_to_stop()
        else:
            self.reload.set()


def _has_terminal() -> bool:
    """Whether there is a terminal that this process belongs to."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
