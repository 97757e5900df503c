"""Checks of the network: the ports can be bound, and callers can reach them."""

from __future__ import annotations

import http.client
import ipaddress
import socket

from inzwa_rtc.cli.doctor.finding import Finding
from inzwa_rtc.settings import Settings, parse_udp_ports
from inzwa_rtc.transport.ice import media_addresses

_EVERYWHERE = ("0.0.0.0", "::")


def http_port(settings: Settings) -> Finding:
    """The TCP port is free, or this very server already answers on it."""
    name, where = "http port", f"{settings.host} port {settings.port}"
    try:
        family, _, _, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if _answers(settings):
            return Finding(name, "ok", f"{where}: a server is running and healthy")
        return Finding(
            name,
            "problem",
            f"{where} cannot be used: {error.strerror or error}",
            "Choose another with INZWA_HOST and INZWA_PORT, or stop the program that uses it.",
        )
    return Finding(name, "ok", f"{where} is free")


def _answers(settings: Settings) -> bool:
    host = "127.0.0.1" if settings.host in _EVERYWHERE else settings.host
    connection = http.client.HTTPConnection(host, settings.port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def udp_ports(settings: Settings) -> Finding:
    """The UDP ports that audio uses can be bound, and are enough for all calls."""
    name = "udp ports"
    if not settings.webrtc_offered:
        return Finding(name, "ok", "not needed: calls go over WebSocket only")
    # As the server does it: each call takes a port on every address, whose ports are its own.
    wanted = parse_udp_ports(settings.udp_ports) if settings.udp_ports else range(1)
    bound = {
        address: sum(_is_free(address, port) for port in wanted)
        for address in media_addresses(settings.media_interfaces)
    }
    where, free = min(bound.items(), key=lambda item: item[1])
    if not any(bound.values()):
        return Finding(
            name,
            "problem",
            f"none of {settings.udp_ports or 'the system'} can be bound on {', '.join(bound)}",
            "Set udp_ports to a free range, such as 50000-50199.",
        )
    if not settings.udp_ports:
        return Finding(name, "ok", f"chosen by the system for each call, on {', '.join(bound)}")
    if free < settings.max_concurrent_sessions:
        return Finding(
            name,
            "warning",
            f"{free} free in {settings.udp_ports} on {where},"
            f" for up to {settings.max_concurrent_sessions} calls",
            "Widen udp_ports or lower max_concurrent_sessions.",
        )
    return Finding(
        name,
        "ok",
        f"{free} of {len(wanted)} free in {settings.udp_ports}, on each of {', '.join(bound)}",
    )


def _is_free(address: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True


def addresses(settings: Settings) -> Finding:
    """Audio has an address at which callers elsewhere reach this machine."""
    name = "addresses"
    if settings.public_address:
        return Finding(name, "ok", f"callers are told {settings.public_address} (public_address)")
    found = media_addresses(settings.media_interfaces)
    if all(map(_is_loopback, found)):
        return Finding(
            name,
            "warning",
            "this machine has only its loopback address",
            "Only browsers on this machine can call; connect it to a network, or set"
            " public_address where a router forwards to it.",
        )
    if all(ipaddress.ip_address(address).is_private for address in found):
        return Finding(
            name,
            "ok",
            f"{', '.join(found)}: reachable within the local network"
            " (for callers elsewhere set public_address)",
        )
    return Finding(name, "ok", ", ".join(found))


def microphone(settings: Settings) -> Finding:
    """Browsers open the microphone: on localhost, or behind TLS."""
    name = "microphone"
    if settings.host == "localhost" or _is_loopback(settings.host):
        return Finding(
            name, "ok", f"browsers on this machine may use it at http://localhost:{settings.port}"
        )
    return Finding(
        name,
        "warning",
        f"the server listens on {settings.host}; browsers give a page the microphone"
        " only over https, or on localhost",
        "For phones and other machines put TLS in front (docs/install.md, section TLS),"
        " and list its address in allowed_origins.",
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return False
