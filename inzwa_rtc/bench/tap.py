"""The packets of one call, past aiortc's queues and tasks: this file reaches into its classes.

ICE and DTLS are aiortc's as they are. Of what arrives at its sockets, media is taken here, in the
callback of the datagram, and everything else is left to aiortc; what is sent is protected by its
SRTP session and given to its socket at once. A new minor of aiortc or aioice is read first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from aiortc import RTCPeerConnection
from pylibsrtp import Error as SrtpError

OnPacket = Callable[[float, int, bytes], None]
"""Called with the time of arrival, the RTP timestamp and the payload."""

_FIXED = 12  # bytes of an RTP header without anything optional


class Tap:
    """Attach it once the connection has gathered; packets come as soon as there are keys."""

    def __init__(self, pc: RTCPeerConnection, on_packet: OnPacket) -> None:
        self.unreadable = 0
        self._on_packet = on_packet
        self._dtls: Any = pc.getTransceivers()[0].sender.transport
        self._ice: Any = self._dtls.transport._connection
        self._transport: Any = None
        self._remote: Any = None
        protocol: Any
        for protocol in self._ice._protocols:
            protocol.datagram_received = self._diverted(protocol.datagram_received)

    def open(self) -> None:
        """Send from now on, over the pair of addresses that was chosen. To be called once the
        connection is up."""
        pair = self._ice._nominated[1]  # of the only component: RTP and RTCP share one
        self._transport, self._remote = pair.protocol.transport, pair.remote_addr

    def send(self, packet: bytes) -> None:
        """Send an RTP packet; nothing once the call has ended, from whichever side."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(self._dtls._tx_srtp.protect(packet), self._remote)

    def _diverted(
        self, original: Callable[[bytes, tuple[Any, ...]], None]
    ) -> Callable[[bytes, tuple[Any, ...]], None]:
        def datagram_received(data: bytes, addr: tuple[Any, ...]) -> None:
            # RFC 7983 tells media from the rest, RFC 5761 RTP from RTCP.
            if len(data) > _FIXED and 127 < data[0] < 192 and not 192 <= data[1] <= 223:
                self._take(data)
            else:
                original(data, addr)

        return datagram_received

    def _take(self, data: bytes) -> None:
        now = time.monotonic()
        session = self._dtls._rx_srtp
        if session is None:
            self.unreadable += 1  # before the handshake is over here, it may be over there
            return
        try:
            packet = session.unprotect(data)
        except SrtpError:
            self.unreadable += 1
            return
        self._on_packet(now, int.from_bytes(packet[4:8], "big"), _payload(packet))


def _payload(packet: bytes) -> bytes:
    """Of an RTP packet (RFC 3550, section 5.1): behind sources and extension, without padding."""
    start = _FIXED + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
    end = len(packet) - (packet[-1] if packet[0] & 0x20 else 0)
    return packet[start:end]
