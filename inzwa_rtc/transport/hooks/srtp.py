"""The keys of what comes, and how many senders are remembered under them."""

from __future__ import annotations

from collections.abc import Callable

from aiortc import RTCDtlsTransport
from pylibsrtp import Session

from inzwa_rtc.transport.hooks.needed import need

MOST_STREAMS = 8  # a caller has one; who begins anew again and again is told of the newest


class InboundSrtp:
    """A `Session` of libsrtp that forgets all streams but the newest: it keeps one for every
    SSRC that it has seen, and looks for each packet's in all of them, one by one."""

    def __init__(self, session: Session, heard: Callable[[], None]) -> None:
        self.on_forgotten: Callable[[int], None] | None = None
        """Is told of an SSRC that is no longer known."""
        self._session = session
        self._heard = heard
        self._streams: dict[bytes, None] = {}  # in the order in which they came

    def unprotect(self, packet: bytes) -> bytes:
        """Of RTP. Raises `pylibsrtp.Error`."""
        plain = self._session.unprotect(packet)
        self._seen(plain[8:12])
        return plain

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        """Of RTCP, which aiortc reads. Raises `pylibsrtp.Error`."""
        plain = self._session.unprotect_rtcp(packet)
        self._seen(plain[4:8])
        self._heard()
        return plain

    def _seen(self, ssrc: bytes) -> None:
        if ssrc in self._streams:
            return
        self._streams[ssrc] = None
        if len(self._streams) > MOST_STREAMS:
            oldest = next(iter(self._streams))
            del self._streams[oldest]
            number = int.from_bytes(oldest)
            self._session.remove_stream(number)
            if self.on_forgotten is not None:
                self.on_forgotten(number)


def bound_streams(dtls: RTCDtlsTransport, heard: Callable[[], None]) -> None:
    """Have the keys of a transport that is yet to connect made so; `heard` is called for each
    authentic packet of RTCP."""
    need(dtls, "_setup_srtp", "_rx_srtp", "_tx_srtp")
    set_up = dtls._setup_srtp

    def bounded() -> None:
        set_up()
        if dtls._rx_srtp is not None:  # None: no profile was agreed on
            keys = InboundSrtp(dtls._rx_srtp, heard)
            dtls._rx_srtp = keys  # type: ignore[assignment]

    dtls._setup_srtp = bounded  # type: ignore[method-assign]
