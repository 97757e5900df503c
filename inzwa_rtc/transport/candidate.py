"""Which ICE candidates of a caller are tried at all, and how many: judged before aiortc parses
them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from inzwa_rtc.errors import PeerError

_NUMBER = re.compile(r"-?[0-9]{1,10}")
_FIELDS = 8
_PORTS = range(1024, 65536)  # no service of the system is probed for anybody
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")  # RFC 1122, section 3.2.1.3


@dataclass(frozen=True, slots=True)
class Reach:
    """Which addresses are tried. Those of the machine itself only where calls are held there:
    nothing else of its own is probed for anybody."""

    has_loopback: bool

    @classmethod
    def of(cls, addresses: Iterable[str]) -> Reach:
        """Of a server that holds calls at these addresses."""
        return cls(any(ipaddress.ip_address(address).is_loopback for address in addresses))

    def takes(self, candidate: str) -> bool:
        """Whether to try this ICE candidate (`candidate:...`, RFC 8839) at all.

        Hidden names (`.local`) are left out: such a caller is found by the address its
        packets come from. Raises `PeerError` on nonsense.
        """
        fields = candidate.removeprefix("candidate:").split()
        is_whole = len(fields) >= _FIELDS and fields[6] == "typ"
        if not is_whole or not all(_NUMBER.fullmatch(fields[place]) for place in (1, 3, 5)):
            raise PeerError(
                "An ICE candidate is malformed.",
                action="Send the browser's own RTCIceCandidate unchanged.",
                code="bad_candidate",
            )
        if fields[2].lower() != "udp" or int(fields[1]) != 1:
            return False
        if fields[7] not in ("host", "srflx", "relay"):
            return False
        return self.may_probe(fields[4], int(fields[5]))

    def may_probe(self, host: str, port: int) -> bool:
        """Whether checks may be sent there: not to system ports, several hosts at once, what
        is only of one link, or what is no host's address."""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False  # a host name, `.local` ones included
        if port not in _PORTS:
            return False
        if address.is_loopback:
            return self.has_loopback
        if address.version == 6 and address.scope_id is not None:
            return False
        return not (
            address.is_multicast
            or address.is_unspecified
            or address.is_link_local
            or address.is_reserved  # broadcast, and IPv4 within IPv6 (mapped, NAT64), are of it
            or (address.version == 4 and address in _THIS_NETWORK)
        )


class Candidates:
    """Those of one caller, whichever way they become known: `limit` at most."""

    def __init__(self, limit: int, reach: Reach) -> None:
        self._limit = limit
        self._reach = reach
        self._count = 0

    def offered(self, count: int) -> None:
        """So many came with the offer."""
        self._count = count

    def trickled(self, candidate: str) -> bool:
        """One more is told: whether to try it. Raises `PeerError`."""
        self._count += 1
        if self._count > self._limit:
            raise PeerError(f"More than {self._limit} ICE candidates.", code="too_many_candidates")
        return self._reach.takes(candidate)

    def learned(self, host: str, port: int) -> bool:
        """A check came from an address that was not told: whether to try it."""
        if self._count >= self._limit or not self._reach.may_probe(host, port):
            return False
        self._count += 1
        return True
