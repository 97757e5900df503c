"""Following redirects by our own rules: encrypted all the way, and tokens stay at home."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiohttp import ClientResponse, ClientSession
from yarl import URL

from inzwa_rtc.catalogue.errors import DownloadFailed

MOST_HOPS = 8
_REDIRECTS = (301, 302, 303, 307, 308)
_SECRETS = ("authorization", "cookie")


@asynccontextmanager
async def follow(
    session: ClientSession, url: URL, headers: Mapping[str, str]
) -> AsyncIterator[ClientResponse]:
    """The first answer that is no redirect. Raises `DownloadFailed` for a place that must
    not be asked, and for redirects without end."""
    allowed(url)
    here = url
    for _ in range(MOST_HOPS):
        if here.origin() != url.origin():
            headers = {
                name: value for name, value in headers.items() if name.lower() not in _SECRETS
            }
        async with session.get(here, headers=headers, allow_redirects=False) as response:
            target = response.headers.get("Location")
            if response.status not in _REDIRECTS or target is None:
                yield response
                return
        here = _next(here, target)
    raise DownloadFailed(
        f"{shown(url)} leads from one address to the next without end.",
        action="Check the address.",
    )


def allowed(url: URL) -> None:
    """Raise `DownloadFailed` for an address that is not encrypted, unless this machine's."""
    if url.user or url.password:
        raise DownloadFailed(
            f"The address {shown(url)} holds a password.", action="Put it into ~/.netrc instead."
        )
    if not url.host or not (url.scheme == "https" or (url.scheme == "http" and _is_here(url))):
        raise DownloadFailed(
            f"{shown(url)} is not encrypted: anyone on the way could change the model.",
            action="Use https://.",
        )


def shown(url: URL) -> str:
    """An address for people: without what may be a secret in it."""
    return str(url.with_user(None).with_query(None).with_fragment(None))


def _next(here: URL, target: str) -> URL:
    try:
        # As it was sent: to quote anew what is signed would break the signature.
        there = here.join(URL(target, encoded=target.isascii() and " " not in target))
        allowed(there)
        if _is_here(there) and not _is_here(here):
            raise ValueError("this machine")  # a stranger's word for a door in our own house
    except ValueError:
        raise DownloadFailed(
            f"{shown(here)} leads to an address that cannot be used.", action="Check the address."
        ) from None
    return there


def _is_here(url: URL) -> bool:
    return url.host in ("localhost", "127.0.0.1", "::1")
