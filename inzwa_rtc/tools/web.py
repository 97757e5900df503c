"""One request to a server that the operator has named, which may answer anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver
from jsonpointer import JsonPointerException, resolve_pointer
from yarl import URL

from inzwa_rtc.tools.tool import ToolFailed, ToolUnsure

CONNECT_S = 1.0
MAX_BYTES = 256 * 1024
"""Of an answer; what is more is no answer to a question that was asked by voice."""
_MAX_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)


class Web:
    """A client for all tools of one server. To be closed."""

    def __init__(self) -> None:
        # More wait: a busy server is asked no more at once.
        self._connector = aiohttp.TCPConnector(limit=32, resolver=_Resolver())

    async def close(self) -> None:
        """Close the idle connections."""
        await self._connector.close()

    async def fetch(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        body: Any = None,
        *,
        timeout_s: float,
    ) -> str:
        """The text of the answer. Raises `ToolFailed` for what is none; nothing of it, and
        nothing of the request, stands in the message."""
        try:
            async with aiohttp.ClientSession(
                connector=self._connector,
                connector_owner=False,
                timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_S),
                auto_decompress=False,  # a small answer could become a huge one
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            ) as session:
                return await _followed(session, method, url, headers, body)
        except TimeoutError:
            raise ToolUnsure("The service did not answer in time.") from None
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError) as error:
            raise ToolUnsure(f"The service cannot be reached ({type(error).__name__}).") from None
        except (aiohttp.ClientError, OSError, ValueError, LookupError) as error:
            raise ToolFailed(f"The service cannot be reached ({type(error).__name__}).") from None


def picked(text: str, pointer: str) -> Any:
    """What a JSON pointer picks out of a text. Raises `ToolFailed`."""
    try:
        return resolve_pointer(json.loads(text), pointer)
    except (ValueError, RecursionError):
        raise ToolFailed("The service's answer is not JSON.") from None
    except (JsonPointerException, LookupError, TypeError):
        raise ToolFailed("The service's answer does not have what was asked for.") from None


def as_text(value: Any) -> str:
    """A text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def is_link_local(host: str) -> bool:
    """Whether this is an address that machines of a cloud keep their secrets at."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_link_local


async def _followed(
    session: aiohttp.ClientSession, method: str, url: URL, headers: Mapping[str, str], body: Any
) -> str:
    """Redirects are followed to the same host alone, and by requests that change nothing."""
    for _ in range(_MAX_REDIRECTS + 1):
        if url.host is None or is_link_local(url.host):
            raise ToolFailed("The service is at an address that is not asked.")
        sent: dict[str, Any] = {} if body is None else {"json": body}
        async with session.request(
            method,
            url,
            headers={"Accept-Encoding": "identity", **headers},
            allow_redirects=False,
            **sent,
        ) as response:
            if response.status not in _REDIRECTS:
                return await _text(response)
            target = url.join(URL(response.headers.get("Location", "")))
        is_same = target.host == url.host and target.scheme in (url.scheme, "https")
        if method != "GET" or not is_same or target.user is not None:
            break
        url = target
    raise ToolFailed("The service sends its askers elsewhere.")


async def _text(response: aiohttp.ClientResponse) -> str:
    if response.status >= 400:
        raise ToolFailed(f"The service refused the request (status {response.status}).")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise ToolFailed("The service's answer is packed.")
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > MAX_BYTES:
            raise ToolFailed("The service's answer is too long.")
    encoding = response.charset or "utf-8"
    text = bytes(body).decode(encoding, "replace")
    if "\0" in text:
        raise ToolFailed("The service's answer is no text.")
    return text


class _Resolver(AbstractResolver):
    """The usual one, without link-local addresses: a name may lead anywhere."""

    def __init__(self) -> None:
        self._usual = DefaultResolver()

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        found = await self._usual.resolve(host, port, family)
        allowed = [one for one in found if not is_link_local(one["host"])]
        if not allowed:
            raise OSError(None, "an address that is not asked")
        return allowed

    async def close(self) -> None:
        await self._usual.close()
