"""Files that appear whole or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path

PART = ".part-"
"""How the names of files begin that are still being written, or never were finished."""


def write_whole(file: Path, data: bytes) -> None:
    """Write a file, only this user's to read, in place of one that there may be. Blocks."""
    handle, part = tempfile.mkstemp(dir=file.parent, prefix=PART, suffix=file.suffix)
    try:
        with open(handle, "wb") as opened:  # noqa: PTH123 - a descriptor
            opened.write(data)
        Path(part).replace(file)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
