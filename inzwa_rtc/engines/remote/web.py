"""The HTTP client of servers that have no official one we could use: aiohttp.

As with the others, nothing is retried, redirected or decompressed below us. It opens its
connections in the loop in which it is first used.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from inzwa_rtc.engines.remote import answers
from inzwa_rtc.engines.remote.answers import Failed, Refusal
from inzwa_rtc.engines.remote.http import KEPT_S, MAX_ANSWER_BYTES, MAX_SOUND_BYTES
from inzwa_rtc.engines.remote.options import RemoteOptions, Server

T = TypeVar("T")

Refused = Callable[[Server, Refusal], Failed]
"""What a server's error means, as `answers.refused` tells it."""

FAILURES = (aiohttp.ClientError, OSError, *answers.UNREADABLE)
"""What a request may raise, and reading what a server sent."""

_ERROR_BYTES = 64 * 1024
_ERROR_S = 1.0  # what an error says besides its number
_GOODBYE_S = 0.05  # until a WebSocket that is closed has been answered


class Web:
    """Asks one server. `read_code` finds the server's own name for an error in what it sent."""

    def __init__(
        self,
        server: Server,
        options: RemoteOptions,
        headers: Mapping[str, str],
        read_code: Callable[[Any], str],
        refused: Refused = answers.refused,
    ) -> None:
        given = {name: value.get_secret_value() for name, value in options.headers.items()}
        # Compression would hold sound back, and let a small answer become a huge one.
        self._headers = {"Accept-Encoding": "identity", **headers, **given}
        self._server = server
        self._connect_s = options.connect_timeout_s
        self._read_code = read_code
        self._refused = refused
        self._proxy = _proxy(server)
        self._session: aiohttp.ClientSession | None = None

    async def aclose(self) -> None:
        """Close the idle connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    @asynccontextmanager
    async def ask(
        self, method: str, path: str, **how: Any
    ) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        """A response that is a success, its body still to be read; leaving before its end closes
        the connection. Raises `Failed`, also for what is raised within."""
        try:
            async with self._opened().request(
                method,
                f"{self._server.url}{path}",
                allow_redirects=False,
                proxy=self._proxy,
                **how,
            ) as response:
                await self._check(response)
                yield response
        except FAILURES as error:
            raise failed(self._server, error) from None

    @asynccontextmanager
    async def socket(
        self, path: str, **how: Any
    ) -> AsyncGenerator[aiohttp.ClientWebSocketResponse, None]:
        """A WebSocket; leaving closes its connection at once. Raises `Failed` as `ask` does."""
        session = self._opened()
        try:
            # A handshake that is refused has a body that tells why, which aiohttp drops.
            async with session.ws_connect(
                f"{self._server.url}{path}",
                proxy=self._proxy,
                compress=0,
                max_msg_size=MAX_ANSWER_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=_GOODBYE_S),
                **how,
            ) as socket:
                yield socket
        except aiohttp.WSServerHandshakeError as error:
            after = answers.retry_after_s(
                error.headers.get("Retry-After") if error.headers else None
            )
            refusal = Refusal(error.status, "", after)
            raise self._refused(self._server, refusal) from None
        except FAILURES as error:
            raise failed(self._server, error) from None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                # How many connections there are is bounded by who asks; how long an answer takes
                # is for whoever waits for it.
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_S),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_s),
                cookie_jar=aiohttp.DummyCookieJar(),
                middlewares=(self._refuse_redirect,),  # a WebSocket would follow one, key and all
                auto_decompress=False,
                trust_env=False,  # it would read ~/.netrc too; see _proxy
            )
        return self._session

    async def _refuse_redirect(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        response = await handler(request)
        if 300 <= response.status < 400:
            location = response.headers.get("Location", "")
            response.close()
            raise answers.redirected(self._server, response.status, location)
        return response

    async def _check(self, response: aiohttp.ClientResponse) -> None:
        """Raise `Failed` for a response that is none of the server's that we know."""
        status, headers = response.status, response.headers
        if status >= 400:
            code = await self._code(response)
            after = answers.retry_after_s(headers.get("Retry-After"))
            raise self._refused(self._server, Refusal(status, code, after))
        if (
            response.content_type == "text/html"
            or headers.get("Content-Encoding", "identity") != "identity"
        ):
            raise answers.garbled(self._server)

    async def _code(self, response: aiohttp.ClientResponse) -> str:
        try:
            async with asyncio.timeout(_ERROR_S):
                return self._read_code(json.loads(await whole(response, _ERROR_BYTES)))
        except (TimeoutError, *FAILURES):
            return ""


def failed(server: Server, error: BaseException) -> Failed:
    """What an error of the client means, or of reading what came."""
    if isinstance(error, aiohttp.ClientError | OSError):
        return answers.lost(server, error)
    return answers.garbled(server)


async def whole(response: aiohttp.ClientResponse, most: int = MAX_ANSWER_BYTES) -> bytes:
    """All of the body. Raises `ValueError` for one that is longer."""
    body = b""
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > most:
            raise ValueError("an answer that does not end")
    return body


async def pieces(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The body as it comes. Raises `ValueError` for one longer than any sound."""
    size = 0
    async for piece in response.content.iter_any():
        size += len(piece)
        if size > MAX_SOUND_BYTES:
            raise ValueError("a sound that does not end")
        yield piece


def run_apart(ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What a question gives where no loop may wait, as in a constructor; blocks."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(lambda: asyncio.run(ask())).result()


def _proxy(server: Server) -> str | None:
    """The one that the environment names for what leaves this network. It must not be able to
    read what callers say: without encryption there is none."""
    parts = urlsplit(server.url)
    if not server.is_encrypted or proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get("https")
