"""Files of a folder that others may write to: opened where they are what they seem."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import IO

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)  # Windows has none of these
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)  # for a writer, should it have become a pipe
_BINARY = getattr(os, "O_BINARY", 0)


def check_plain(path: Path) -> None:
    """Raises `OSError` for a link, a folder, a pipe or a device, and for what is not there."""
    _check(path.lstat())


def open_plain(path: Path) -> IO[bytes]:
    """The file, to be read. Raises `OSError` as `check_plain` does."""
    check_plain(path)
    file = os.fdopen(os.open(path, os.O_RDONLY | _NO_FOLLOW | _NO_WAIT | _BINARY), "rb")
    try:
        _check(os.fstat(file.fileno()))
    except OSError:
        file.close()
        raise
    return file


def _check(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is a link, or no plain file")
