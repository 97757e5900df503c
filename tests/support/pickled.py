"""A pickle that does something when it is read: proof that nobody reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any


class Touching:
    """Makes a file when it is read as a pickle."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)
