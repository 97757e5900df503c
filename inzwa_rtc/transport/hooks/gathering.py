"""How an ICE connection comes to its sockets: those that it is given, and no others."""

from __future__ import annotations

import socket
from collections.abc import Callable

from aioice import Candidate
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import Connection

from inzwa_rtc.transport.hooks.gate import Gate, MediaPort
from inzwa_rtc.transport.hooks.needed import need
from inzwa_rtc.transport.udp import UdpSocket


def gather_with(
    connection: Connection,
    gate: Gate,
    bound: Callable[[], list[socket.socket]],
    public_address: str | None,
) -> None:
    """Make this ICE connection, which has not gathered yet, use the UDP sockets that `bound`
    makes, and tell the public address beside each of its IP version."""
    need(connection, "get_component_candidates", "_protocols", "_closing")

    async def get_component_candidates(
        component: int, addresses: list[str], timeout: int = 5
    ) -> list[Candidate]:
        if connection._closing:  # another connection of the call has failed meanwhile
            raise ConnectionError("closed before it gathered")
        sockets, candidates = bound(), []
        try:
            while sockets:
                port = MediaPort(connection, gate)
                UdpSocket(sockets[0], port)
                del sockets[0]
                connection._protocols.append(port)  # which it closes with all others
                host, number = port.transport.get_extra_info("sockname")[:2]
                port.local_candidate = _host_candidate(component, host, number)
                if public_address and (":" in public_address) == (":" in host):
                    candidates.append(_host_candidate(component, public_address, number))
                candidates.append(port.local_candidate)
        finally:
            for one in sockets:
                one.close()
        return candidates

    # aioice offers no such setting; the instance's own method is the narrowest place.
    connection.get_component_candidates = get_component_candidates  # type: ignore[method-assign]


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
