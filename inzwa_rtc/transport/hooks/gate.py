"""Who may send to a call: what comes at its sockets, and for whom it is."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import Any

from aioice.ice import CandidatePair, Connection, StunProtocol
from aioice.stun import COOKIE, HEADER_LENGTH, Class, Message, Method, parse_message
from aiortc import RTCPeerConnection

from inzwa_rtc.transport.hooks.needed import need
from inzwa_rtc.transport.hooks.srtp import bound_streams
from inzwa_rtc.transport.udp import UdpSocket

_FIRST_RTP, _BEHIND_RTP = 128, 192  # of the first byte (RFC 7983)
_FIRST_DTLS, _BEHIND_DTLS = 20, 64
_BEHIND_STUN = 4
_FIRST_RTCP, _BEHIND_RTCP = 192, 224  # of the second byte (RFC 5761)
_MOST_BYTES = 1500
"""No path of WebRTC's carries more in one piece; libsrtp's binding, and aiortc's task that reads
DTLS and RTCP, break on more than 2,048."""
_STUN = struct.Struct("!HHI12s")
_REQUEST = Method.BINDING | Class.REQUEST
_ANSWERS = (Method.BINDING | Class.RESPONSE, Method.BINDING | Class.ERROR)

Address = tuple[str, int]
Admits = Callable[[str, int], bool]


class Gate:
    """Of one ICE connection: which addresses it lets in, and where RTP goes. An address is let in
    once it has answered one of our checks. One that the caller has told is let in as soon as an
    authentic check comes from it: they may use that path from then on, whether or not ours have
    found it. `admits` is asked about addresses that nobody has told, before anything is sent
    there: whoever has overheard a check can send it again from anywhere."""

    def __init__(self, connection: Connection, admits: Admits) -> None:
        need(connection, "check_incoming", "check_state", "data_received", "request_received")
        need(connection, "_remote_candidates", "_check_list", "local_username", "remote_username")
        self.refused = 0
        """Datagrams from addresses that are not let in, and STUN that is none of ours."""
        self.heard_at = asyncio.get_running_loop().time()
        """When the last authentic packet came, RTP, RTCP or STUN, on the loop's clock."""
        self.report_late_s = 0.0
        """How long the newest packet of RTCP had been there when it was read."""
        self.on_rtp: Callable[[bytes, float], None] | None = None
        """Takes a packet, now or later, and the time at which it came; tells `heard` if it is
        authentic."""
        self._connection = connection
        self._admits = admits
        self._loop = asyncio.get_running_loop()
        self._let_in: set[tuple[StunProtocol, Address]] = set()  # bounded by the pairs
        self._check_incoming = connection.check_incoming
        self._check_state = connection.check_state
        connection.check_incoming = self._checked  # type: ignore[method-assign]
        connection.check_state = self._has_state  # type: ignore[method-assign]

    def take(self, data: bytes, address: Address, port: MediaPort) -> None:
        """A datagram that is not STUN."""
        if (port, address) not in self._let_in:
            self.refused += 1
            return
        first = data[0]
        if _FIRST_DTLS <= first < _BEHIND_DTLS:
            self._connection.data_received(data, 1)
        elif _FIRST_RTP <= first < _BEHIND_RTP and len(data) > 1:
            if _FIRST_RTCP <= data[1] < _BEHIND_RTCP:
                self.report_late_s = self._loop.time() - port.arrived_at
                self._connection.data_received(data, 1)
            elif self.on_rtp is not None:
                self.on_rtp(data, port.arrived_at)

    def take_stun(self, data: bytes, address: Address, port: StunProtocol) -> None:
        """A datagram that looks like STUN. To read one takes long, and aioice answers whoever
        is named as its sender: so it gets none but those of this call."""
        message = self._read(data, port)
        if message is None:
            self.refused += 1
        elif message.message_class is Class.REQUEST:
            self._connection.request_received(message, address, port)
        else:
            port.transactions[message.transaction_id].response_received(message, address)

    def heard(self, at: float | None = None) -> None:
        """Something authentic came, now if not `at` another time."""
        self.heard_at = max(self.heard_at, self._loop.time() if at is None else at)

    def _read(self, data: bytes, port: StunProtocol) -> Message | None:
        """None for what is not a check of the two names of this call, nor answers one of ours."""
        if len(data) < HEADER_LENGTH:
            return None
        kind, length, cookie, transaction = _STUN.unpack_from(data)
        if cookie != COOKIE or length != len(data) - HEADER_LENGTH:
            return None
        if kind == _REQUEST:
            if self._username() not in data:
                return None
        elif kind not in _ANSWERS or transaction not in port.transactions:
            return None
        try:
            return parse_message(data)
        except (ValueError, struct.error):  # the latter for attributes of a wrong length
            return None

    def _username(self) -> bytes:
        """What is said in checks that come; the second half is told by the answer."""
        theirs = self._connection.remote_username or ""
        return f"{self._connection.local_username}:{theirs}".encode()

    def _has_state(self, pair: CandidatePair, state: CandidatePair.State) -> None:
        if state is CandidatePair.State.SUCCEEDED:
            self._let_in.add((pair.protocol, pair.remote_addr))
        self._check_state(pair, state)

    def _checked(self, message: Message, addr: Address, protocol: StunProtocol) -> None:
        """An authentic request for a connectivity check, which also asks for consent. Each new
        address that one comes from is a candidate more, and is sent checks."""
        self.heard()
        if not self._is_candidate(addr) and (
            "PRIORITY" not in message.attributes or not self._admits(*addr)
        ):
            self.refused += 1
            return
        if self._is_told(addr):
            self._let_in.add((protocol, addr))
        self._begin_anew(addr, protocol)
        self._check_incoming(message, addr, protocol)

    def _begin_anew(self, address: Address, port: StunProtocol) -> None:
        """Of two paths that a caller has nominated, aioice stops checking the one that it has not
        found yet once it has found the other, and never tries again. Whether it is nominated now,
        the check that has come tells."""
        for pair in self._connection._check_list:
            is_this = pair.protocol is port and pair.remote_addr == address
            if is_this and pair.task is not None and pair.task.done():
                pair.task, pair.remote_nominated = None, False
                self._check_state(pair, CandidatePair.State.WAITING)

    def _is_candidate(self, address: Address) -> bool:
        known = self._connection._remote_candidates
        return any((one._network_host, one.port) == address for one in known)

    def _is_told(self, address: Address) -> bool:
        known = self._connection._remote_candidates
        told = (one for one in known if one.type != "prflx")
        return any((one._network_host, one.port) == address for one in told)


class MediaPort(StunProtocol):
    """A UDP socket of a call: gives each datagram to whom it is for."""

    def __init__(self, connection: Connection, gate: Gate) -> None:
        super().__init__(connection)
        need(self, "transactions", "request")
        self._gate = gate

    @property
    def arrived_at(self) -> float:
        """When the datagram came that is being taken, on the loop's clock."""
        assert isinstance(self.transport, UdpSocket)
        return self.transport.arrived_at

    async def request(self, *args: Any, **options: Any) -> Any:
        """Of aioice's: an answer to it is authentic, and tells that the other end is there."""
        answer = await super().request(*args, **options)
        self._gate.heard()
        return answer

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        """STUN goes to aioice, all else to aiortc or the call, and nothing without need."""
        assert isinstance(data, bytes)
        if not 0 < len(data) <= _MOST_BYTES:
            return
        if data[0] < _BEHIND_STUN:
            self._gate.take_stun(data, (addr[0], addr[1]), self)
        else:
            self._gate.take(data, (addr[0], addr[1]), self)


def open_gates(pc: RTCPeerConnection, admits: Admits) -> list[tuple[Connection, Gate]]:
    """The ICE connections of a peer connection that has not gathered yet, each with its gate."""
    need(pc, "_RTCPeerConnection__dtlsTransports")
    opened = []
    for dtls in getattr(pc, "_RTCPeerConnection__dtlsTransports"):  # noqa: B009
        need(dtls.transport, "_connection")
        connection = dtls.transport._connection
        gate = Gate(connection, admits)
        bound_streams(dtls, gate.heard)
        opened.append((connection, gate))
    return opened
