"""Which ICE candidates of a caller are tried at all: judged before aiortc parses them."""

from __future__ import annotations

import ipaddress
import re

from inzwa_rtc.errors import PeerError

_NUMBER = re.compile(r"-?[0-9]{1,10}")
_FIELDS = 8
_LOWEST_PORT = 1024  # no service of the system is probed for anybody


def is_reachable(candidate: str) -> bool:
    """Whether to try this ICE candidate (`candidate:...`, RFC 8839) at all.

    Hidden names (`.local`) are left out: such a caller is found by the address its
    packets come from. So are addresses that must not be probed: multicast,
    link-local, broadcast, and system ports. Raises `PeerError` on nonsense.
    """
    fields = candidate.removeprefix("candidate:").split()
    is_whole = len(fields) >= _FIELDS and fields[6] == "typ"
    if not is_whole or not all(_NUMBER.fullmatch(fields[place]) for place in (1, 3, 5)):
        raise PeerError(
            "An ICE candidate is malformed.",
            action="Send the browser's own RTCIceCandidate unchanged.",
            code="bad_candidate",
        )
    component, port = int(fields[1]), int(fields[5])
    if fields[2].lower() != "udp" or component != 1 or not _LOWEST_PORT <= port <= 65535:
        return False
    if fields[7] not in ("host", "srflx", "relay"):
        return False
    try:
        address = ipaddress.ip_address(fields[4])
    except ValueError:
        return False  # a host name, `.local` ones included
    is_broadcast = address == ipaddress.IPv4Address("255.255.255.255")
    is_ipv4_link_local = address.version == 4 and address.is_link_local
    return not (
        address.is_multicast or address.is_unspecified or is_broadcast or is_ipv4_link_local
    )
