"""Files that must be the ones they were: opened without following links, hashed, and
recognised again without reading them whole.

A `Stamp` is what the kernel says of a file: it changes when the file does. The change
time is part of it, which a program cannot set back as it can the modification time. Clocks
tick, though: a write in the same tick as the one before leaves no trace. So a stamp is
taken only of a file that was quiet for longer than a tick before it was hashed (the same
care that git takes with its index).
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict

from inzwa_rtc.catalogue.errors import Tampered

TICK_S = 0.05
"""Longer than any kernel's tick (10 ms at the slowest)."""

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)  # Windows has none; the comparison below remains
_BINARY = getattr(os, "O_BINARY", 0)


class Stamp(BaseModel):
    """A file as the kernel knows it, content aside."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int
    inode: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, found: os.stat_result) -> Stamp:
        """The stamp of what `os.stat` found."""
        return cls(
            size=found.st_size,
            inode=found.st_ino,
            modified_ns=found.st_mtime_ns,
            changed_ns=found.st_ctime_ns,
        )


@contextmanager
def opened(folder: Path, path: str) -> Iterator[IO[bytes]]:
    """The regular file `path` below `folder`, to be read; no part of `path` may be a link.

    Raises `Tampered` for a link, and when the path leads elsewhere by the time that the
    caller is done: what was read is then not what the path names.
    """
    if not stat.S_ISREG(plain(folder, path).st_mode):
        raise _not_plain(folder / path, "not a regular file")
    try:
        number = os.open(folder / path, os.O_RDONLY | _NO_FOLLOW | _BINARY)
    except OSError as error:
        raise _not_plain(folder / path, error.strerror or "unreadable") from None
    with open(number, "rb") as file:  # noqa: PTH123  # a descriptor
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode):
            raise _not_plain(folder / path, "not a regular file")
        yield file
        now = plain(folder, path)
        if (now.st_dev, now.st_ino) != (found.st_dev, found.st_ino):
            raise Tampered(
                f"{folder / path} was replaced while it was read.",
                action="Find out by what; nothing but `inzwa-rtc models` should write there.",
            )


def plain(folder: Path, path: str) -> os.stat_result:
    """What `path` below `folder` is; `Tampered` when any part of it is a link, or nothing."""
    here, found = folder, None
    for part in path.split("/"):
        here /= part
        try:
            found = os.lstat(here)
        except OSError as error:
            raise _not_plain(here, error.strerror or "unreadable") from None
        if stat.S_ISLNK(found.st_mode):
            raise _not_plain(here, "a symbolic link")
    assert found is not None
    return found


def digest(file: IO[bytes]) -> tuple[str, Stamp | None]:
    """The SHA-256 of an open file, and its stamp; None for one that was not quiet."""
    began_ns = time.time_ns()
    before = Stamp.of(os.fstat(file.fileno()))
    file.seek(0)
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    quiet_ns = began_ns - max(before.modified_ns, before.changed_ns)
    unchanged = Stamp.of(os.fstat(file.fileno())) == before
    return sha256, before if unchanged and quiet_ns > TICK_S * 1e9 else None


def write_whole(path: Path, text: str) -> None:
    """Put a small file in place at once: readers see the old one or the new one."""
    partial = path.with_name(f"{path.name}.new")
    partial.unlink(missing_ok=True)
    with partial.open("x", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def settle(folder: Path) -> None:
    """Make sure that the names in `folder` outlive a power cut, where the system can."""
    if hasattr(os, "O_DIRECTORY"):
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _not_plain(path: Path, what: str) -> Tampered:
    return Tampered(
        f"{path} cannot be used: {what}.",
        action="Model files must be plain files: pull the model again, or copy what it points at.",
    )
