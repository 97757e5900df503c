"""A loop's clock that a test can put forward."""

from __future__ import annotations

import asyncio

import pytest


class Clock:
    """The running loop's, ahead of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        own = loop.time
        self._ahead_s = 0.0
        monkeypatch.setattr(loop, "time", lambda: own() + self._ahead_s)

    def advance(self, seconds: float) -> None:
        """Let so much time pass at once; what was due by then is due now."""
        self._ahead_s += seconds
