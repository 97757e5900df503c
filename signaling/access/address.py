"""From where a request comes."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from aiohttp import HttpVersion11, web
from multidict import CIMultiDictProxy

_FORWARDED = ("forwarded", "via", "x-real-ip")
_FORWARDED_AS = ("x-forwarded-", "cf-")
_V6_NETWORK = 64  # what one subscriber is given: a single machine has 2^64 addresses in it


class Addresses:
    """Tells where a request comes from; believes nobody but the `trusted` proxies about it."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self._trusted = tuple(ipaddress.ip_network(network) for network in trusted)

    def of(self, request: web.Request) -> str:
        """The address of a client, in the way in which they are told apart: IPv6 by network."""
        forwarded = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
        return named(self._nearest(request.remote or "", forwarded))

    def _nearest(self, remote: str, forwarded: Sequence[str]) -> str:
        """The last one in the chain for which no trusted proxy stands: whatever is named before
        it, a client may have made up."""
        address = remote
        for before in reversed(forwarded):
            if not self._is_trusted(address) or not is_address(before.strip()):
                break
            address = before.strip()
        return address

    def _is_trusted(self, address: str) -> bool:
        return is_address(address) and any(
            _unmapped(address) in network for network in self._trusted
        )


def named(address: str) -> str:
    """How somebody at this address is told from others."""
    if not is_address(address):
        return "unknown"
    parsed = _unmapped(address)
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, _V6_NETWORK), strict=False))


def is_address(text: str) -> bool:
    """Whether it is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether this address, or name in a URL, means the machine itself."""
    host = host.lower().removeprefix("[").removesuffix("]")
    if is_address(host):
        return _unmapped(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")


def is_forwarded(headers: CIMultiDictProxy[str]) -> bool:
    """Whether a proxy says that it passes the request on for somebody."""
    names = [name.lower() for name in headers]
    return any(name in _FORWARDED or name.startswith(_FORWARDED_AS) for name in names)


def _unmapped(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed


def is_on_this_machine(request: web.Request) -> bool:
    """As far as can be told: a proxy on this machine passes others on, and says so, or asks as
    programs on this machine do not, or uses the name by which they know it."""
    return (
        is_loopback(request.remote or "")
        and is_loopback(request.url.host or "")
        and request.version >= HttpVersion11  # nginx, as it comes, asks with 1.0 and says nothing
        and not is_forwarded(request.headers)
    )
