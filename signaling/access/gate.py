"""Lets requests in."""

from __future__ import annotations

from aiohttp import web

from signaling.access.caller import Caller
from signaling.api.operation import Operation


class OpenGate:
    """Lets everybody call."""

    async def admit(self, request: web.Request, operation: Operation) -> Caller:
        """As in `Gate`."""
        return Caller(scopes=frozenset({"call"}))
