"""Labels whose values come from elsewhere, such as an engine's error codes, kept within bounds."""

from __future__ import annotations

import re

OTHER = "other"

_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}")


class BoundedLabel:
    """Lets the first `most` different words pass; all else is `other`."""

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._known: set[str] = set()

    def of(self, value: str) -> str:
        """The value to label with."""
        if value in self._known:
            return value
        if len(self._known) >= self._most or not _WORD.fullmatch(value):
            return OTHER
        self._known.add(value)
        return value
