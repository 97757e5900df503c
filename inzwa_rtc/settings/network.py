"""What settings of the network may say: addresses, ports, networks, relays."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator

_TURN = re.compile(
    r"turns?:(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?(?:\?transport=(?:udp|tcp))?"
)
_INTERFACE = re.compile(r"[!-~]{1,64}")


def parse_udp_ports(value: str) -> range:
    """Ports of a range such as `50000-50199`, both ends included."""
    low, _, high = value.partition("-")
    if not (low.isascii() and low.isdigit() and high.isascii() and high.isdigit()):
        raise ValueError("must look like 50000-50199")
    ports = range(int(low), int(high) + 1)
    if not ports or ports.start < 1024 or ports.stop > 65536:
        raise ValueError("must be an ascending range within 1024-65535")
    return ports


def _checked_ports(value: str) -> str:
    parse_udp_ports(value)
    return value


def _checked_address(value: str) -> str:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        raise ValueError("must be an IP address, such as 203.0.113.7") from None
    return value


def _checked_interface(value: str) -> str:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        # A name, as the system has it: no network has a letter other than of its digits.
        if not _INTERFACE.fullmatch(value) or "/" in value:
            raise ValueError(
                "each must be the name of an interface, an IP address or a network such as"
                " 10.0.0.0/8 (without bits of a host)"
            ) from None
    return value


def _checked_turn_url(value: str) -> str:
    match = _TURN.fullmatch(value)
    if match is None or int(match[1] or 1) not in range(1, 65536):
        raise ValueError(
            "each must look like turn:turn.example.org:3478 or"
            " turns:turn.example.org:5349?transport=tcp"
        )
    return value


UdpPorts = Annotated[str, AfterValidator(_checked_ports)]
"""A range of ports, both ends included."""

Address = Annotated[str, AfterValidator(_checked_address)]
"""An IP address."""

Interface = Annotated[str, AfterValidator(_checked_interface)]
"""A network interface's name, an IP address, or a network."""

TurnUrl = Annotated[str, AfterValidator(_checked_turn_url)]
"""Where a TURN server is (RFC 7065)."""
