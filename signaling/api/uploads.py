"""Bounds how much sound is being sent at a time by all clients together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from inzwa_rtc.errors import Unavailable

RETRY_AFTER_S = 5  # a recording of a minute is sent by then, over most lines
SMALL_BYTES = 1 << 20
"""A path that takes no more than this has ten seconds for it: what is sent there at a time, the
rates of requests bound."""


class Uploads:
    """`most_bytes` of bodies are read at the same time. One alone is always read."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._taken = 0

    @contextmanager
    def room(self, size: int) -> Iterator[None]:
        """Room for so many bytes for as long as the block runs. Raises `Unavailable` (`busy`)."""
        if self._taken and self._taken + size > self._most:
            raise Unavailable(
                "The server is busy reading other recordings.",
                action=f"Try again in {RETRY_AFTER_S} seconds.",
                code="busy",
                retry_after_s=RETRY_AFTER_S,
            )
        self._taken += size
        try:
            yield
        finally:
            self._taken -= size


UPLOADS = web.AppKey("uploads", Uploads)


@contextmanager
def room_for(request: web.Request, limit: int) -> Iterator[None]:
    """Room for this body of at most `limit` bytes, taken before any of it is read; all that it
    may have where it does not tell its length. Raises `Unavailable` (`busy`)."""
    if limit <= SMALL_BYTES:
        yield
        return
    length = request.content_length
    with request.app[UPLOADS].room(limit if length is None else min(length, limit)):
        yield
