"""Where an engine's process listens: a folder with a socket in it, locked while it is used.

A server that is killed cannot clean up after itself, but its locks end with it. So whoever
starts next may remove the folders of this user that nobody locks, and no others: several
servers of a machine, even in containers that share its temporary files, do no harm to
each other.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Self

from inzwa_rtc.engines.contracts import EngineKind
from inzwa_rtc.errors import ConfigError

_SUFFIX = ".run"
_MAX_SOCKET_PATH = 100
"""The kernel's limit is 108 bytes on Linux and 104 elsewhere, final NUL included."""


class SocketFolder:
    """A new folder that only this user can enter, its path short enough for a socket."""

    def __init__(self, path: Path, lock: int) -> None:
        self.socket = path / "socket"
        self._path = path
        self._lock = lock

    @classmethod
    def create(cls, kind: EngineKind) -> Self:
        """Make one for an engine of this kind. Raises `OSError`, and `ConfigError` where no
        path is short enough."""
        prefix = f"inzwa-{kind}-"
        parent = _short_parent(prefix)
        while True:
            path = Path(tempfile.mkdtemp(prefix=prefix, suffix=_SUFFIX, dir=parent))
            # Another server's sweep may come before the lock; then it is gone once locked.
            with suppress(FileNotFoundError):
                lock = _open(path)
                # A file system without locks has none for a sweep either: it removes nothing.
                with suppress(OSError):
                    fcntl.flock(lock, fcntl.LOCK_EX)
                if path.exists():
                    return cls(path, lock)
                os.close(lock)

    def remove(self) -> None:
        """Remove the folder and what is in it, whatever state it is in."""
        shutil.rmtree(self._path, ignore_errors=True)
        os.close(self._lock)


def sweep() -> None:
    """Remove the folders that servers of this user left behind when they were killed."""
    for parent in _parents():
        for path in Path(parent).glob(f"inzwa-*{_SUFFIX}"):
            with suppress(OSError):
                _remove_if_unused(path)


def _remove_if_unused(path: Path) -> None:
    lock = _open(path)
    try:
        if os.fstat(lock).st_uid == os.geteuid():
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError: it is used
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(lock)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def _parents() -> tuple[str, ...]:
    return tuple(dict.fromkeys((tempfile.gettempdir(), "/tmp")))


def _short_parent(prefix: str) -> str:
    for parent in _parents():
        if len(os.fsencode(f"{parent}/{prefix}12345678{_SUFFIX}/socket")) <= _MAX_SOCKET_PATH:
            return parent
    raise ConfigError(
        "No folder for temporary files has a path short enough for a socket.",
        action=f"Set TMPDIR to a path of at most {_MAX_SOCKET_PATH - 30} bytes.",
    )
