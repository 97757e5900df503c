"""No UDP datagram above 1200 bytes, which every path carries unfragmented.

Audio packets, STUN and the DTLS handshake (780 bytes at most, with aiortc's certificate)
stay below it by themselves. Only messages of the data channel have to be cut smaller than
aiortc does, whose datagrams have up to 1,226 bytes.
"""

from __future__ import annotations

from aiortc import rtcsctptransport

MAX_DATAGRAM = 1200
_DTLS_BYTES = 65  # AES-CBC with SHA-1, the most of the ciphers on offer: header, IV, MAC, padding
_SCTP_BYTES = 28  # common header and that of one DATA chunk (RFC 9260)
_CONSTANT = "USERDATA_MAX_LENGTH"


def limit_datagrams() -> None:
    """Make aiortc cut messages so that every datagram stays within `MAX_DATAGRAM`."""
    if not hasattr(rtcsctptransport, _CONSTANT):
        raise RuntimeError("aiortc's SCTP has changed: no length of user data to set")
    most = MAX_DATAGRAM - _DTLS_BYTES - _SCTP_BYTES
    setattr(rtcsctptransport, _CONSTANT, most // 4 * 4)  # chunks are padded to 4 bytes
