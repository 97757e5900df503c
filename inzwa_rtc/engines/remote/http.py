"""The HTTP clients below the official ones, and what is checked of every response.

OpenAI's client stands on httpx2, Ollama's on httpx: one library in two versions, so that
what follows takes either.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from inzwa_rtc.engines.remote import answers
from inzwa_rtc.engines.remote.options import RemoteOptions, Server

MAX_ANSWER_BYTES = 8 * 1024 * 1024
"""Bound on one answer: a reply of 20,000 tokens, each with its probability."""

MAX_SOUND_BYTES = 512 * 1024 * 1024
"""Bound on a recording: two hours of 24 kHz, in base64. Nothing of it is kept, and how long a
speech may be is bounded by its text; this is for what never becomes a sound."""

KEPT_S = 30.0  # an idle connection: from one turn of a call to the next


class Bounded:
    """The body of a response, up to `max_bytes`.

    Mixed into the library's own `AsyncByteStream`. Both clients wait for the end of a line
    however long it becomes.
    """

    max_bytes = MAX_ANSWER_BYTES

    def __init__(self, body: Any, server: Server) -> None:
        self._body = body
        self._server = server

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._body:
            size += len(piece)
            if size > self.max_bytes:
                raise answers.garbled(self._server)
            yield piece

    async def aclose(self) -> None:
        """Close the connection, unless all was read."""
        await self._body.aclose()


def client_settings(
    library: Any, options: RemoteOptions, server: Server, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """Arguments for the library's `Client` and `AsyncClient` alike.

    Only opening a connection is timed here; how long an answer may take is for whoever waits
    for it. How many connections there are is bounded by `max_concurrent`.
    """
    given = {name: value.get_secret_value() for name, value in options.headers.items()}
    return {
        "timeout": library.Timeout(None, connect=options.connect_timeout_s),
        "limits": library.Limits(keepalive_expiry=KEPT_S),
        "follow_redirects": False,
        # A proxy named in the environment is for what leaves this network, and must not be
        # able to read what callers say.
        "trust_env": server.is_encrypted,
        # Compression would hold back tokens, and let a small answer become a huge one.
        "headers": {"Accept-Encoding": "identity", **(headers or {}), **given},
    }


def check(server: Server, response: Any) -> None:
    """Raise `Failed` for a response that is none of the server's that we know."""
    if 300 <= response.status_code < 400:
        raise answers.redirected(server, response.status_code, response.headers.get("location", ""))
    kind = response.headers.get("content-type", "")
    coding = response.headers.get("content-encoding", "identity")
    if response.status_code < 300 and (kind.startswith("text/html") or coding != "identity"):
        raise answers.garbled(server)


def hooks(server: Server) -> dict[str, Any]:
    """The event hooks of a `Client`."""

    def on_response(response: Any) -> None:
        check(server, response)

    return {"response": [on_response]}


def async_hooks(server: Server, bounded: type[Any]) -> dict[str, Any]:
    """The event hooks of an `AsyncClient`; `bounded` is `Bounded` as the library's stream."""

    async def on_response(response: Any) -> None:
        check(server, response)
        response.stream = bounded(response.stream, server)

    return {"response": [on_response]}


def closing(aclose: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None] | None:
    """Closes a client's idle connections, for a `close` that cannot wait. Without a running
    loop there is nothing left that could: they end with the process."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None
    return loop.create_task(aclose())
