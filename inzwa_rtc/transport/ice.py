"""Where media sockets are bound and which addresses are told to callers.

aioice binds a random port on every address but loopback. Here the operator
decides: a fixed port range, a public address in front of the machine (1:1
NAT), and loopback on a machine that has nothing else.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random
import socket
from collections.abc import Iterable
from dataclasses import dataclass

import ifaddr
from aioice import Candidate
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import Connection

from inzwa_rtc.errors import InzwaError
from inzwa_rtc.settings import Settings, parse_udp_ports
from inzwa_rtc.transport.hooks import Gate, MediaPort


class NoMediaPortError(InzwaError):
    """No UDP port could be bound for a call."""

    code = "no_media_port"


@dataclass(frozen=True, slots=True)
class IceSettings:
    """`ports` to bind (None: any free one); `public_address` to tell callers beside our own."""

    ports: range | None = None
    public_address: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> IceSettings:
        """Those of the configuration."""
        ports = parse_udp_ports(settings.udp_ports) if settings.udp_ports else None
        return cls(ports, settings.public_address)


def usable_addresses(addresses: Iterable[str]) -> list[str]:
    """The addresses to bind: all but loopback and IPv6 link-local; loopback if that is all."""
    parsed = [ipaddress.ip_address(address) for address in addresses]
    outside = [
        str(a) for a in parsed if not a.is_loopback and not (a.version == 6 and a.is_link_local)
    ]
    return outside or [str(a) for a in parsed if a.is_loopback and a.version == 4] or ["127.0.0.1"]


def media_addresses() -> list[str]:
    """The addresses of this machine at which calls are held."""
    return usable_addresses(machine_addresses())


def machine_addresses() -> list[str]:
    """All addresses of this machine's network interfaces."""
    return [
        ip.ip if isinstance(ip.ip, str) else ip.ip[0]
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
    ]


def configure(connection: Connection, gate: Gate, settings: IceSettings) -> None:
    """Make this ICE connection gather by our rules. To be called before it gathers."""

    async def get_component_candidates(
        component: int, addresses: list[str], timeout: int = 5
    ) -> list[Candidate]:
        candidates: list[Candidate] = []
        for address in media_addresses():
            protocol = await _bind(connection, gate, address, settings.ports)
            if protocol is None:
                continue
            host, port = protocol.transport.get_extra_info("sockname")[:2]
            protocol.local_candidate = _host_candidate(component, host, port)
            connection._protocols.append(protocol)
            public = settings.public_address
            if public and (":" in public) == (":" in host):  # the same IP version
                candidates.append(_host_candidate(component, public, port))
            candidates.append(protocol.local_candidate)
        if not candidates:
            raise NoMediaPortError(
                "No UDP port is free for this call.",
                action="Widen `udp_ports`, or end calls that are no longer used.",
            )
        return candidates

    # aioice offers no such setting; the instance's own method is the narrowest place.
    connection.get_component_candidates = get_component_candidates  # type: ignore[method-assign]


async def _bind(
    connection: Connection, gate: Gate, address: str, ports: range | None
) -> MediaPort | None:
    bound = _bound_socket(address, ports or range(1))
    if bound is None:
        return None
    _, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: MediaPort(connection, gate), sock=bound
    )
    return protocol


def _bound_socket(address: str, ports: range) -> socket.socket | None:
    """A UDP socket on one of these ports, the first that is free from a random one on; None
    if there is none. One socket tries them all, at some microseconds each."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        tried = socket.socket(family, socket.SOCK_DGRAM)
    except OSError:  # this machine has no such IP version
        return None
    first = random.randrange(len(ports))
    for number in range(len(ports)):
        try:
            tried.bind((address, ports[(first + number) % len(ports)]))
        except OSError:
            continue
        return tried
    tried.close()
    return None


def _host_candidate(component: int, host: str, port: int) -> Candidate:
    return Candidate(
        foundation=candidate_foundation("host", "udp", host),
        component=component,
        transport="udp",
        priority=candidate_priority(component, "host"),
        host=host,
        port=port,
        type="host",
    )
