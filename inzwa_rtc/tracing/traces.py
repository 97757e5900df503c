"""What the server has traced, whoever takes it. Nothing here waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from inzwa_rtc.events import Event
from inzwa_rtc.observer import Stage


class CallTrace(Protocol):
    """The turns of one call."""

    def event(self, event: Event) -> None:
        """The caller is told this."""
        ...

    def stage(self, stage: Stage) -> None:
        """A stage has ended; that of the turn itself is the last one of it."""
        ...


class RequestTrace(Protocol):
    """One HTTP request."""

    def ended(self, status: int) -> None:
        """It was answered."""
        ...


class Traces(Protocol):
    """Takes what is traced."""

    def request(self, operation: str, headers: Mapping[str, str]) -> RequestTrace:
        """A request begins; `headers` (of any case) may carry the trace that it is part
        of (W3C)."""
        ...

    def call(self, call_id: str, transport: str) -> CallTrace:
        """A call begins, in the course of the request that is traced now, if one is."""
        ...

    async def close(self) -> None:
        """Send what waits, for a moment."""
        ...


class NoTraces:
    """Takes nothing."""

    def request(self, operation: str, headers: Mapping[str, str]) -> RequestTrace:
        """As in `Traces`."""
        return _NOTHING

    def call(self, call_id: str, transport: str) -> CallTrace:
        """As in `Traces`."""
        return _NOTHING

    async def close(self) -> None:
        """As in `Traces`."""


class _Nothing:
    def event(self, event: Event) -> None: ...

    def stage(self, stage: Stage) -> None: ...

    def ended(self, status: int) -> None: ...


_NOTHING = _Nothing()
