"""What the signals of the operating system ask of the server.

| signal          | asks                                                                 |
|-----------------|----------------------------------------------------------------------|
| SIGTERM, SIGINT | to stop once calls are over; a second one, to end them               |
| SIGHUP          | to read the configuration again; but to stop when it comes because   |
|                 | the terminal goes that the server runs in                            |

A server that was to outlive its terminal never stops at SIGHUP: one that was started where
SIGHUP is ignored (`nohup`), or that has been left running without its terminal (`disown`).
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading

SAME_SIGNAL_S = 1.0
_LOOKS_EVERY_S = 1.0
_GOING_S = 3.0  # so long after the terminal was last there, its end is what SIGHUP tells


_held = threading.Event()


def hold_hangups() -> None:
    """Let a SIGHUP wait until `Signals` is there: untreated, it ends the process."""
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: _held.set())


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
        self._had_terminal_at: float | None = None
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            self._look_for_terminal()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._asked_to_stop)
        self._loop.add_signal_handler(signal.SIGHUP, self._hung_up)
        if _held.is_set():
            _held.clear()
            self._hung_up()

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
        had_at = self._had_terminal_at
        has_just_gone = had_at is not None and self._loop.time() - had_at < _GOING_S
        if has_just_gone and not _has_terminal():
            self._asked_to_stop()
        else:
            self.reload.set()

    def _look_for_terminal(self) -> None:
        """Again and again, for as long as there is one."""
        if _has_terminal():
            self._had_terminal_at = self._loop.time()
            self._loop.call_later(_LOOKS_EVERY_S, self._look_for_terminal)


def _has_terminal() -> bool:
    """Whether there is a terminal that this process belongs to."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
