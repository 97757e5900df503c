"""How large datagrams are at most."""

from __future__ import annotations

from aiortc import rtcsctptransport

from inzwa_rtc.transport.hooks.needed import need

MAX_DATAGRAM = 1200
_DTLS_BYTES = 65  # AES-CBC with SHA-1, the most of the ciphers on offer: header, IV, MAC, padding
_SCTP_BYTES = 28  # common header and that of one DATA chunk (RFC 9260)
_SCTP_LENGTH = "USERDATA_MAX_LENGTH"


def limit_datagrams() -> None:
    """Make aiortc cut messages of the data channel so that every datagram stays within
    `MAX_DATAGRAM`, which every path carries unfragmented.

    Audio packets, STUN and the DTLS handshake (780 bytes at most, with aiortc's certificate)
    stay below it by themselves. With aiortc as it is, messages take up to 1,226 bytes.
    """
    need(rtcsctptransport, _SCTP_LENGTH)
    most = MAX_DATAGRAM - _DTLS_BYTES - _SCTP_BYTES
    setattr(rtcsctptransport, _SCTP_LENGTH, most // 4 * 4)  # chunks are padded to 4 bytes
