"""All that reaches into aiortc and aioice, which have no public way to it.

aiortc keeps ICE, DTLS, SCTP, SDP and RTCP. Its audio path is passed over: datagrams that carry
RTP are decrypted and handed on where they arrive, and packets leave at once, without a task, a
queue or a thread of a call's own. Each hook looks for what it replaces before it does, so that
another version of the libraries fails loudly instead of leaving a caller unheard.
"""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Callable, Sequence
from typing import Any

import pylibsrtp
from aioice.ice import CandidatePair, Connection, StunProtocol
from aioice.stun import Message
from aiortc import (
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpSender,
    RTCRtpTransceiver,
    clock,
    rtcsctptransport,
)
from aiortc.rtcrtpparameters import RTCRtpReceiveParameters, RTCRtpSendParameters
from aiortc.rtcrtpreceiver import StreamStatistics
from pylibsrtp import Session

from inzwa_rtc.transport.rtp import RTP_CLOCK, RtpPacket, parse

MAX_DATAGRAM = 1200
MOST_ROUND_TRIP_S = 2.0  # nobody holds a conversation over a longer one
_DTLS_BYTES = 65  # AES-CBC with SHA-1, the most of the ciphers on offer: header, IV, MAC, padding
_SCTP_BYTES = 28  # common header and that of one DATA chunk (RFC 9260)
_SCTP_LENGTH = "USERDATA_MAX_LENGTH"
_FIRST_RTP, _BEHIND_RTP = 128, 192  # of the first byte (RFC 7983)
_FIRST_DTLS, _BEHIND_DTLS = 20, 64
_BEHIND_STUN = 4
_FIRST_RTCP, _BEHIND_RTCP = 192, 224  # of the second byte (RFC 5761)
_MOST_BYTES = 1500
"""No path of WebRTC's carries more in one piece; libsrtp's binding, and aiortc's task that reads
DTLS and RTCP, break on more than 2,048."""
_OUT = struct.Struct("!BBHII")
_SEQUENCE, _TIMESTAMP = 1 << 16, 1 << 32
_VERSION = 0x80  # 2, with nothing that is optional
_MARKER = 0x80
_MOST_STREAMS = 8  # a caller who begins anew again and again has reports of the newest only


class Unhooked(RuntimeError):
    """A version of aiortc or aioice that is built in another way than ours relies on."""


class Gate:
    """Of one ICE connection: which addresses it has validated, and where RTP goes."""

    def __init__(self, connection: Connection) -> None:
        _need(connection, "_check_list", "_nominated", "check_incoming", "data_received")
        self.refused = 0
        """Datagrams from addresses that nobody has validated."""
        self.heard_at = asyncio.get_running_loop().time()
        """When the last authentic packet came, RTP or STUN, on the loop's clock."""
        self.on_rtp: Callable[[bytes, float], bool] | None = None
        """Takes a packet and the time; tells whether it was authentic."""
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._validated: set[tuple[StunProtocol, tuple[str, int]]] = set()
        self._check_incoming = connection.check_incoming
        connection.check_incoming = self._checked  # type: ignore[method-assign]

    def take(self, data: bytes, address: tuple[str, int], port: StunProtocol) -> None:
        """A datagram that is not STUN."""
        if (port, address) not in self._validated and not self._is_validated(port, address):
            self.refused += 1
            return
        first = data[0]
        if _FIRST_DTLS <= first < _BEHIND_DTLS:
            self._connection.data_received(data, 1)
        elif _FIRST_RTP <= first < _BEHIND_RTP and len(data) > 1:
            if _FIRST_RTCP <= data[1] < _BEHIND_RTCP:
                self._connection.data_received(data, 1)
            elif self.on_rtp is not None:
                now = self._loop.time()
                if self.on_rtp(data, now):
                    self.heard_at = now

    def heard(self) -> None:
        """Something authentic came."""
        self.heard_at = self._loop.time()

    def _is_validated(self, port: StunProtocol, address: tuple[str, int]) -> bool:
        pairs = [*self._connection._check_list, *self._connection._nominated.values()]
        for pair in pairs:
            if (
                pair.state is CandidatePair.State.SUCCEEDED
                and pair.protocol is port
                and pair.remote_addr == address
            ):
                self._validated.add((port, address))  # bounded by the pairs there are
                return True
        return False

    def _checked(self, message: Message, addr: tuple[str, int], protocol: StunProtocol) -> None:
        """An authentic request for a connectivity check, which also asks for consent."""
        self.heard()
        self._check_incoming(message, addr, protocol)


class MediaPort(StunProtocol):
    """A UDP socket of a call: gives each datagram at once to whom it is for."""

    def __init__(self, connection: Connection, gate: Gate) -> None:
        super().__init__(connection)
        self._gate = gate

    async def request(self, *args: Any, **options: Any) -> Any:
        """Of aioice's: an answer to it is authentic, and tells that the other end is there."""
        answer = await super().request(*args, **options)
        self._gate.heard()
        return answer

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        """STUN goes to aioice, all else through the gate."""
        assert isinstance(data, bytes)
        if not 0 < len(data) <= _MOST_BYTES:
            return
        if data[0] < _BEHIND_STUN:
            super().datagram_received(data, addr)
        else:
            self._gate.take(data, (addr[0], addr[1]), self)


class AudioLane:
    """Audio packets each way over one transceiver of a peer connection that is yet to connect.
    `on_packet` is given the packets that come, and the loop's time."""

    def __init__(
        self,
        transceiver: RTCRtpTransceiver,
        gates: Sequence[Gate],
        on_packet: Callable[[RtpPacket, float], None],
    ) -> None:
        self.unreadable = 0
        """Packets that could not be decrypted, or were none of this call's."""
        self._receiver: RTCRtpReceiver = transceiver.receiver
        self._sender: RTCRtpSender = transceiver.sender
        self._on_packet = on_packet
        self._in: Session | None = None
        self._in_type = -1
        self._streams: dict[int, StreamStatistics] = {}
        self._arrival = _Arrival()
        self._out: Session | None = None
        self._out_type = 0
        self._connection: Connection | None = None
        self._sequence = random.getrandbits(15)  # not near its wrap (RFC 3711, appendix)
        self._origin = random.getrandbits(32)
        self._packets = self._octets = 0
        self._take_over_receiver()
        self._take_over_sender()
        for gate in gates:  # but for one, they have no keys, and what they let in is unreadable
            gate.on_rtp = self._on_rtp

    @property
    def is_open(self) -> bool:
        """Whether packets can leave."""
        return self._out is not None

    @property
    def round_trip_s(self) -> float:
        """As RTCP tells; 0 before it does. It is reckoned from what the caller writes and from
        our wall clock, so that it may come out as anything."""
        told = float(getattr(self._sender, "_RTCRtpSender__rtt") or 0.0)  # noqa: B009
        return min(max(0.0, told), MOST_ROUND_TRIP_S)

    @property
    def lost_outward(self) -> float:
        """The share of our packets that did not reach the caller, as RTCP told last."""
        reports = getattr(self._sender, "_RTCRtpSender__stats").values()  # noqa: B009
        lost = [one.fractionLost for one in reports if one.type == "remote-inbound-rtp"]
        return float(lost[-1]) / 256 if lost else 0.0

    def send(self, payload: bytes, timestamp: int, marker: bool) -> None:
        """Send a packet now; nowhere, while the call is not connected. `timestamp` counts at
        `RTP_CLOCK` from the first; `marker` where sound begins after silence (RFC 3551)."""
        pair = self._connection._nominated.get(1) if self._connection is not None else None
        if self._out is None or pair is None:
            return
        at = (self._origin + timestamp) % _TIMESTAMP
        kind = self._out_type | (_MARKER if marker else 0)
        header = _OUT.pack(_VERSION, kind, self._sequence, at, self._sender._ssrc)
        data = self._out.protect(header + payload)
        self._sequence = (self._sequence + 1) % _SEQUENCE
        self._packets += 1
        self._octets += len(payload)
        _set(self._sender, "ntp_timestamp", clock.current_ntp_time())
        _set(self._sender, "rtp_timestamp", at)
        _set(self._sender, "packet_count", self._packets)
        _set(self._sender, "octet_count", self._octets)
        pair.protocol.transport.sendto(data, pair.remote_addr)

    def _on_rtp(self, data: bytes, now: float) -> bool:
        if self._in is None:
            return False
        try:
            plain = self._in.unprotect(data)
        except pylibsrtp.Error:
            self.unreadable += 1
            return False
        packet = parse(plain)
        if packet is None or packet.payload_type != self._in_type:
            self.unreadable += 1
            return True
        self._count(packet)
        self._on_packet(packet, now)
        return True

    def _count(self, packet: RtpPacket) -> None:
        """For the reports that aiortc's receiver sends."""
        stream = self._streams.get(packet.ssrc)
        if stream is None:
            if len(self._streams) >= _MOST_STREAMS:
                self._streams.clear()
            stream = self._streams[packet.ssrc] = StreamStatistics(RTP_CLOCK)
            self._receiver.transport._rtp_router.ssrc_table[packet.ssrc] = self._receiver
        self._arrival.sequence_number = packet.sequence
        self._arrival.timestamp = packet.timestamp
        stream.add(self._arrival)  # type: ignore[arg-type]

    def _take_over_receiver(self) -> None:
        """Its decoder thread, jitter buffer and track never start."""
        receiver = self._receiver
        _need(receiver, *(f"_RTCRtpReceiver__{name}" for name in ("started", "rtcp_task")))
        _need(receiver, "_RTCRtpReceiver__remote_streams", "_run_rtcp", "receive")
        setattr(receiver, "_RTCRtpReceiver__remote_streams", self._streams)  # noqa: B010

        async def receive(parameters: RTCRtpReceiveParameters) -> None:
            if self._in is not None:
                return
            self._in_type = parameters.codecs[0].payloadType or 0
            receiver.transport._register_rtp_receiver(receiver, parameters)
            rtcp = asyncio.ensure_future(receiver._run_rtcp())
            setattr(receiver, "_RTCRtpReceiver__rtcp_task", rtcp)  # noqa: B010
            setattr(receiver, "_RTCRtpReceiver__started", True)  # noqa: B010
            self._in = receiver.transport._rx_srtp

        receiver.receive = receive  # type: ignore[method-assign]

    def _take_over_sender(self) -> None:
        """Its task that waits for a track's frames never starts."""
        sender = self._sender
        used = ("started", "cname", "mid", "rtp_task", "rtcp_task", "rtp_started", "rtp_exited")
        told = ("ntp_timestamp", "rtp_timestamp", "packet_count", "octet_count", "rtt", "stats")
        _need(sender, *(f"_RTCRtpSender__{name}" for name in (*used, *told)))
        _need(sender, "_run_rtcp", "send", "_ssrc")

        async def send(parameters: RTCRtpSendParameters) -> None:
            if self._out is not None:
                return
            self._out_type = parameters.codecs[0].payloadType or 0
            _set(sender, "cname", parameters.rtcp.cname)
            _set(sender, "mid", parameters.muxId)
            sender.transport._register_rtp_sender(sender, parameters)
            # `stop` waits for a task that has never begun: to it, that one is over.
            _set(sender, "rtp_task", asyncio.get_running_loop().create_future())
            getattr(sender, "_RTCRtpSender__rtp_started").set()  # noqa: B009
            getattr(sender, "_RTCRtpSender__rtp_exited").set()  # noqa: B009
            _set(sender, "rtcp_task", asyncio.ensure_future(sender._run_rtcp()))
            _set(sender, "started", True)
            self._connection = sender.transport.transport._connection
            self._out = sender.transport._tx_srtp

        sender.send = send  # type: ignore[method-assign]


class _Arrival:
    """What aiortc's statistics read of a packet."""

    sequence_number = 0
    timestamp = 0


def open_gates(pc: RTCPeerConnection) -> list[tuple[Connection, Gate]]:
    """The ICE connections of a peer connection that has not gathered yet, each with its gate."""
    _need(pc, "_RTCPeerConnection__iceTransports")
    transports = getattr(pc, "_RTCPeerConnection__iceTransports")  # noqa: B009
    connections = [transport.iceGatherer._connection for transport in transports]
    return [(connection, Gate(connection)) for connection in connections]


def limit_datagrams() -> None:
    """Make aiortc cut messages of the data channel so that every datagram stays within
    `MAX_DATAGRAM`, which every path carries unfragmented.

    Audio packets, STUN and the DTLS handshake (780 bytes at most, with aiortc's certificate)
    stay below it by themselves. With aiortc as it is, messages take up to 1,226 bytes.
    """
    _need(rtcsctptransport, _SCTP_LENGTH)
    most = MAX_DATAGRAM - _DTLS_BYTES - _SCTP_BYTES
    setattr(rtcsctptransport, _SCTP_LENGTH, most // 4 * 4)  # chunks are padded to 4 bytes


def _need(owner: object, *names: str) -> None:
    for name in names:
        if not hasattr(owner, name):
            raise Unhooked(f"{type(owner).__name__} has no {name} any more: read its new version")


def _set(sender: RTCRtpSender, name: str, value: object) -> None:
    setattr(sender, f"_RTCRtpSender__{name}", value)
