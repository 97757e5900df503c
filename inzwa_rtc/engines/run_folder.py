"""A folder for the time that a process runs: private, short of path, locked while it is used.

A process that is killed cannot clean up after itself, but its locks end with it. So whoever
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

from inzwa_rtc.errors import ConfigError

_SUFFIX = ".run"
_MAX_PATH = 93
"""Bytes. A socket in it has a limit of 104 (108 on Linux), final NUL included; eSpeak NG cuts the
path of its data at 160."""


class RunFolder:
    """A new folder that only this user can enter, with a short `path`."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def create(cls, name: str) -> Self:
        """Make one, with this name in its own. Raises `OSError`, and `ConfigError` where no
        path is short enough."""
        prefix = f"inzwa-{name}-"
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
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def sweep() -> None:
    """Remove the folders that processes of this user left behind when they were killed."""
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
        if len(os.fsencode(f"{parent}/{prefix}12345678{_SUFFIX}")) <= _MAX_PATH:
            return parent
    raise ConfigError(
        "No folder for temporary files has a path short enough.",
        action=f"Set TMPDIR to a path of at most {_MAX_PATH - 26} bytes.",
    )
