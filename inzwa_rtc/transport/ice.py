"""Where media sockets are bound and which addresses are told to callers.

aioice binds a random port on every address but loopback. Here the operator
decides: interfaces, a fixed port range, a public address in front of the machine (1:1
NAT); loopback where it is named, or on a machine that has nothing else.
"""

from __future__ import annotations

import ipaddress
import random
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import ifaddr
from aioice.ice import Connection

from inzwa_rtc.errors import ConfigError, Unavailable
from inzwa_rtc.settings import Settings, parse_udp_ports
from inzwa_rtc.transport.hooks import Gate, gather_with

RECEIVE_BYTES = 212_992
AGAIN_S = 10
"""After so long a port may be free again, or an interface be there: calls end, networks come."""


@dataclass(frozen=True, slots=True)
class IceSettings:
    """`ports` to bind (None: any free one) on the `interfaces` that are named (none: on all);
    `public_address` to tell callers beside our own."""

    ports: range | None = None
    public_address: str | None = None
    interfaces: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> IceSettings:
        """Those of the configuration."""
        ports = parse_udp_ports(settings.udp_ports) if settings.udp_ports else None
        return cls(ports, settings.public_address, settings.media_interfaces)


@dataclass(frozen=True, slots=True)
class HostAddress:
    """An address of this machine, and the interface that has it."""

    interface: str
    address: str


def usable_addresses(addresses: Iterable[str]) -> list[str]:
    """The addresses to bind: all but loopback and IPv6 link-local; loopback if that is all."""
    parsed = [ipaddress.ip_address(address) for address in addresses]
    outside = [
        str(a) for a in parsed if not a.is_loopback and not (a.version == 6 and a.is_link_local)
    ]
    return outside or [str(a) for a in parsed if a.is_loopback and a.version == 4] or ["127.0.0.1"]


def media_addresses(interfaces: Sequence[str] = ()) -> list[str]:
    """The addresses of this machine at which calls are held: those of the interfaces, addresses
    and networks that are named, whatever they are, or else all that are usable. Raises
    `ConfigError` where none matches."""
    if not interfaces:
        return usable_addresses(machine_addresses())
    here = host_addresses()
    named = [one.address for one in here if any(_is_named(one, name) for name in interfaces)]
    if not named:
        known = ", ".join(f"{one.address} ({one.interface})" for one in here)
        raise ConfigError(
            "`media_interfaces` names no interface, address or network of this machine.",
            action=f"Name some of what is here, {known}, or leave the setting out.",
        )
    return named


def check_interfaces(settings: Settings) -> None:
    """Raises `ConfigError` where calls could be held nowhere."""
    if settings.webrtc_offered:
        media_addresses(settings.media_interfaces)


def machine_addresses() -> list[str]:
    """All addresses of this machine's network interfaces."""
    return [one.address for one in host_addresses()]


def host_addresses() -> list[HostAddress]:
    """The same, each with its interface."""
    return [
        HostAddress(adapter.name, ip.ip if isinstance(ip.ip, str) else ip.ip[0])
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
    ]


def _is_named(one: HostAddress, name: str) -> bool:
    if one.interface == name:
        return True
    try:
        return ipaddress.ip_address(one.address) in ipaddress.ip_network(name)
    except ValueError:  # the name of another interface
        return False


def configure(connection: Connection, gate: Gate, settings: IceSettings) -> None:
    """Make this ICE connection gather by our rules. To be called before it gathers."""
    gather_with(connection, gate, lambda: bound_sockets(settings), settings.public_address)


def bound_sockets(settings: IceSettings) -> list[socket.socket]:
    """A UDP socket on every address at which calls are held and a port is free. Raises
    `Unavailable` where there is none."""
    bound: list[socket.socket] = []
    try:
        for address in call_addresses(settings):
            if (one := _bound_socket(address, settings.ports or range(1))) is not None:
                bound.append(one)
    except BaseException:
        for one in bound:
            one.close()
        raise
    if not bound:
        raise Unavailable(
            "No UDP port is free for this call.",
            action="Widen `udp_ports`, or end calls that are no longer used.",
            code="no_media_port",
            retry_after_s=AGAIN_S,
        )
    return bound


def call_addresses(settings: IceSettings) -> list[str]:
    """Where calls are held now. Raises `Unavailable` where there is no such address any more."""
    try:
        return media_addresses(settings.interfaces)
    except ConfigError as error:  # the server has begun with it: the network is gone
        raise Unavailable(
            error.message, action=error.action, code="no_media_address", retry_after_s=AGAIN_S
        ) from None


def _bound_socket(address: str, ports: range) -> socket.socket | None:
    """A UDP socket on one of these ports, the first that is free from a random one on; None
    if there is none. One socket tries them all, at some microseconds each."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        tried = socket.socket(family, socket.SOCK_DGRAM)
    except OSError:  # this machine has no such IP version
        return None
    # Twice as much as is usual, and as much as every kernel grants: it is read when it is of use.
    tried.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    first = random.randrange(len(ports))
    for number in range(len(ports)):
        try:
            tried.bind((address, ports[(first + number) % len(ports)]))
        except OSError:
            continue
        return tried
    tried.close()
    return None
