"""Audio packets of a call, past aiortc's encoder, decoder, jitter buffer and tasks."""

from __future__ import annotations

import asyncio
import random
import struct
import time
from collections.abc import Callable, Sequence
from functools import partial

import pylibsrtp
from aioice.ice import Connection
from aiortc import RTCRtpReceiver, RTCRtpSender, RTCRtpTransceiver
from aiortc.rtcrtpparameters import RTCRtpReceiveParameters, RTCRtpSendParameters
from pylibsrtp import Session

from inzwa_rtc.transport.hooks.gate import Gate
from inzwa_rtc.transport.hooks.needed import Unhooked, need
from inzwa_rtc.transport.hooks.reports import Arrivals, count_from_arrival, reporting
from inzwa_rtc.transport.hooks.srtp import InboundSrtp
from inzwa_rtc.transport.rtp import AUDIO_LEVEL, RtpPacket, is_told_silent, parse
from inzwa_rtc.transport.udp import UdpSocket

MOST_SILENT = 32  # packets; nobody leaves them for so long, whoever sends 10 ms in each
MOST_ROUND_TRIP_S = 2.0  # nobody holds a conversation over a longer one
_OUT = struct.Struct("!BBHII")
_SEQUENCE, _TIMESTAMP = 1 << 16, 1 << 32
_VERSION = 0x80  # 2, with nothing that is optional
_MARKER = 0x80
_OF_STREAMS = ("_RTCRtpReceiver__lsr", "_RTCRtpReceiver__lsr_time")
# What aiortc's reports tell of what was sent.
_NTP_EPOCH = 2_208_988_800  # from 1900 to 1970, in seconds (RFC 3550, section 4)
_NTP_TIMESTAMP = "_RTCRtpSender__ntp_timestamp"
_RTP_TIMESTAMP = "_RTCRtpSender__rtp_timestamp"
_PACKET_COUNT = "_RTCRtpSender__packet_count"
_OCTET_COUNT = "_RTCRtpSender__octet_count"
_REPLAYED = "replay check failed"  # how libsrtp's binding tells of both its codes


class AudioLane:
    """Audio packets each way over one transceiver of a peer connection that is yet to connect.
    `on_packet` is given the packets that come, and when they came on the loop's clock."""

    def __init__(
        self,
        transceiver: RTCRtpTransceiver,
        gates: Sequence[Gate],
        on_packet: Callable[[RtpPacket, float], None],
    ) -> None:
        self.unreadable = 0
        """Packets that could not be decrypted, or were none of this call's."""
        self.repeated = 0
        """Those that a network, or somebody on the way, sent twice."""
        self._receiver: RTCRtpReceiver = transceiver.receiver
        self._sender: RTCRtpSender = transceiver.sender
        self._on_packet = on_packet
        self._in: InboundSrtp | None = None
        self._in_type = -1
        self._level_id: int | None = None
        self._silent: list[tuple[Gate, bytes, float]] = []
        self._arrivals = Arrivals()
        self._out: Session | None = None
        self._out_type = 0
        self._connection: Connection | None = None
        self._polled: UdpSocket | None = None
        self._sequence = random.getrandbits(15)  # not near its wrap (RFC 3711, appendix)
        self._origin = random.getrandbits(32)
        self._packets = self._octets = 0
        self._take_over_receiver()
        self._take_over_sender()
        count_from_arrival(
            self._receiver, self._sender, lambda: max(gate.report_late_s for gate in gates)
        )
        for gate in gates:  # but for one, they have no keys, and what they let in is unreadable
            gate.on_rtp = partial(self._on_rtp, gate)

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
        told = self._sender.__dict__
        told[_NTP_TIMESTAMP] = int((time.time() + _NTP_EPOCH) * (1 << 32))
        told[_RTP_TIMESTAMP] = at
        told[_PACKET_COUNT] = self._packets
        told[_OCTET_COUNT] = self._octets
        pair.protocol.transport.sendto(data, pair.remote_addr)

    def read(self, now: float) -> None:
        """Take in what has come at the call's socket by `now`, the loop's time: from the first
        time on, nothing is taken in but here."""
        pair = self._connection._nominated.get(1) if self._connection is not None else None
        if pair is None:
            return
        if pair.protocol.transport is not self._polled:
            if self._polled is not None:
                self._polled.read(now)  # what came there before anything comes here
            self.let_go()
            assert isinstance(pair.protocol.transport, UdpSocket)
            self._polled = pair.protocol.transport
            self._polled.wait_to_be_asked()
        self._polled.read(now)

    def let_go(self) -> None:
        """Nobody reads any more: what comes is taken in by itself again."""
        if self._polled is not None:
            self._polled.read_as_it_comes()
        self._polled = None

    def take_silent(self) -> None:
        """Take in the packets that were put aside because they tell that they are silent."""
        waiting, self._silent = self._silent, []
        for gate, data, now in waiting:
            self._take(gate, data, now)

    def _on_rtp(self, gate: Gate, data: bytes, now: float) -> None:
        if self._level_id is not None and is_told_silent(data, self._level_id):
            self._silent.append((gate, data, now))
            if len(self._silent) > MOST_SILENT:
                self.take_silent()
            return
        if self._silent:
            self.take_silent()
        self._take(gate, data, now)

    def _take(self, gate: Gate, data: bytes, now: float) -> None:
        if self._in is None:
            return
        try:
            plain = self._in.unprotect(data)
        except pylibsrtp.Error as error:
            if str(error).startswith(_REPLAYED):  # before it is known whose it is
                self.repeated += 1
            else:
                self.unreadable += 1
            return
        gate.heard(now)
        packet = parse(plain)
        if packet is None or packet.payload_type != self._in_type:
            self.unreadable += 1
            return
        self._count(packet, now)
        self._on_packet(packet, now)

    def _count(self, packet: RtpPacket, now: float) -> None:
        """For the reports that aiortc's receiver sends."""
        if self._arrivals.add(packet, now):
            self._receiver.transport._rtp_router.ssrc_table[packet.ssrc] = self._receiver

    def _forget(self, ssrc: int) -> None:
        """All that is kept of a stream which is no longer known."""
        self._arrivals.streams.pop(ssrc, None)
        self._receiver.transport._rtp_router.ssrc_table.pop(ssrc, None)
        for name in _OF_STREAMS:
            getattr(self._receiver, name).pop(ssrc, None)

    def _take_over_receiver(self) -> None:
        """Its decoder thread, jitter buffer and track never start."""
        receiver = self._receiver
        used = ("started", "rtcp_task", "rtcp_exited", "remote_streams", "rtcp_ssrc")
        need(receiver, *(f"_RTCRtpReceiver__{name}" for name in used), *_OF_STREAMS)
        need(receiver, "_run_rtcp", "receive")
        need(receiver.transport, "_register_rtp_receiver", "_rx_srtp", "_rtp_router")
        need(receiver.transport._rtp_router, "ssrc_table")
        streams = self._arrivals.streams
        setattr(receiver, "_RTCRtpReceiver__remote_streams", streams)  # noqa: B010

        async def receive(parameters: RTCRtpReceiveParameters) -> None:
            if self._in is not None:
                return
            self._in_type = parameters.codecs[0].payloadType or 0
            ids = [one.id for one in parameters.headerExtensions if one.uri == AUDIO_LEVEL]
            self._level_id = ids[0] if ids else None
            receiver.transport._register_rtp_receiver(receiver, parameters)
            exited = getattr(receiver, "_RTCRtpReceiver__rtcp_exited")  # noqa: B009
            rtcp = asyncio.ensure_future(reporting(receiver._run_rtcp, exited))
            setattr(receiver, "_RTCRtpReceiver__rtcp_task", rtcp)  # noqa: B010
            setattr(receiver, "_RTCRtpReceiver__started", True)  # noqa: B010
            keys: object = receiver.transport._rx_srtp
            if not isinstance(keys, InboundSrtp):
                raise Unhooked("the keys were not made by `bound_streams`")
            keys.on_forgotten = self._forget
            self._in = keys

        receiver.receive = receive  # type: ignore[method-assign]

    def _take_over_sender(self) -> None:
        """Its task that waits for a track's frames never starts."""
        sender = self._sender
        tasks = ("started", "rtp_task", "rtcp_task", "rtp_started", "rtp_exited", "rtcp_exited")
        told = ("ntp_timestamp", "rtp_timestamp", "packet_count", "octet_count", "rtt", "stats")
        need(sender, *(f"_RTCRtpSender__{name}" for name in (*tasks, *told, "cname", "mid")))
        need(sender, "_run_rtcp", "send", "_ssrc")
        need(sender.transport, "_register_rtp_sender", "_tx_srtp", "transport")

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
            exited = getattr(sender, "_RTCRtpSender__rtcp_exited")  # noqa: B009
            _set(sender, "rtcp_task", asyncio.ensure_future(reporting(sender._run_rtcp, exited)))
            _set(sender, "started", True)
            self._connection = sender.transport.transport._connection
            self._out = sender.transport._tx_srtp

        sender.send = send  # type: ignore[method-assign]


def _set(sender: RTCRtpSender, name: str, value: object) -> None:
    setattr(sender, f"_RTCRtpSender__{name}", value)
