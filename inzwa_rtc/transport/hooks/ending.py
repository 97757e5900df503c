"""What is done where aiortc does not end a connection by itself."""

from __future__ import annotations

import asyncio
from typing import Any

from aioice.ice import ICE_FAILED
from aiortc import RTCPeerConnection
from aiortc.rtcsctptransport import RTCSctpTransport

from inzwa_rtc.transport.hooks.needed import need

_TASKS = (
    ("receiver", "_RTCRtpReceiver__rtcp_task"),
    ("sender", "_RTCRtpSender__rtcp_task"),
    ("sender", "_RTCRtpSender__rtp_task"),
)
_CLOSED = "_RTCPeerConnection__isClosed"


def abandon(pc: RTCPeerConnection) -> None:
    """End all that a peer connection still has: its tasks, timers and sockets. Nobody at the
    other end is told."""
    need(pc, "_RTCPeerConnection__dtlsTransports", _CLOSED)
    closed = getattr(pc, _CLOSED) or asyncio.get_running_loop().create_future()
    setattr(pc, _CLOSED, closed)
    if not closed.done():
        closed.set_result(True)  # for who waits in `close`, as aiortc itself does
    for transceiver in pc.getTransceivers():
        for owner, name in _TASKS:
            _cancel(getattr(getattr(transceiver, owner), name, None))
    if pc.sctp is not None:
        pc.sctp._set_state(RTCSctpTransport.State.CLOSED)
    for dtls in getattr(pc, "_RTCPeerConnection__dtlsTransports"):  # noqa: B009
        need(dtls, "_task")
        need(dtls.transport, "_connection", "_RTCIceTransport__monitor_task")
        connection = dtls.transport._connection
        need(connection, "_check_list", "_query_consent_task", "_protocols", "_closing")
        need(connection, "_check_list_done", "_check_list_state", "_queue", "_nominated")
        connection._closing = connection._check_list_done = True
        connection._check_list_state.put_nowait(ICE_FAILED)  # for who waits in `connect`
        connection._queue.put_nowait(None)  # and in `recv`
        _cancel(dtls._task)
        _cancel(getattr(dtls.transport, "_RTCIceTransport__monitor_task"))  # noqa: B009
        _cancel(connection._query_consent_task)
        for pair in connection._check_list:
            _cancel(pair.task)
        connection._nominated.clear()
        for port in connection._protocols:
            port.transport.abort()


def _cancel(task: asyncio.Future[Any] | None) -> None:
    if task is not None:
        task.cancel()
