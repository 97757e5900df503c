"""Room on the disk, asked for before a download and while one of unknown size goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

from inzwa_rtc.catalogue.errors import ModelError

SPARE = 256 * 1024 * 1024
"""What is left alone: a full disk stops more than a download."""


def require(folder: Path, size: int) -> None:
    """Raise `ModelError` unless `size` more bytes fit where `folder` is, or will be."""
    here = folder
    while not here.exists():
        here = here.parent
    free = shutil.disk_usage(here).free
    if size + SPARE > free:
        raise ModelError(
            f"{readable(size)} more do not fit into {folder}: {readable(free)} are free, "
            f"of which {readable(SPARE)} are kept.",
            action="Make room, or set `models_dir` to a folder on another disk.",
            code="disk_full",
        )


def readable(size: int) -> str:
    """Bytes as people read them: `148 MB`, `1.1 GB`."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return (
                f"{size / factor:.1f} {unit}" if size < 10 * factor else f"{size // factor} {unit}"
            )
    return f"{size} bytes"
