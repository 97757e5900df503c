"""A UDP socket of a call, read where it is of use: as datagrams come, or when it is asked.

To be woken for a datagram takes an event loop longer than to read it. Whoever has no use for one
before a tick of a clock reads all that has come by then, of all calls, one after another. When
each came, the kernel tells.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import time
from collections.abc import Iterable
from typing import Any, Final, Protocol

MOST_AT_ONCE: Final = 256
"""Datagrams that are read from one socket at a time; what is left is read as it comes."""

CROWD: Final = 32
"""Datagrams in one reading: more than any client sends in 160 ms, and a fraction of what the kernel
keeps until they are read."""

_CROWDED_S: Final = 1.0
_MOST_WOKEN: Final = 16  # for one wake-up: others are due as well
_MOST_BYTES: Final = 2048  # no path carries more in one piece; the rest of it would be cut off
_IS_LINUX: Final = sys.platform == "linux"
_TIMESTAMPS: Final = 35  # SO_TIMESTAMPNS, and the kind of what it brings (asm-generic/socket.h)
_TIMESPEC: Final = struct.Struct("@ll")
_SPACE: Final = socket.CMSG_SPACE(_TIMESPEC.size) if _IS_LINUX else 0

_Ancillary = Iterable[tuple[int, int, bytes]]


class DatagramSink(Protocol):
    """As `asyncio.DatagramProtocol`."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is called once, before anything else."""
        ...

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        ...

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """One has come."""
        ...

    def error_received(self, exc: Exception) -> None:
        """One could not be sent or read."""
        ...


class UdpSocket(asyncio.DatagramTransport):
    """Owns a bound socket. What cannot leave at once is dropped: sound that waits is of no use,
    and STUN and DTLS send again what was lost."""

    def __init__(self, bound: socket.socket, sink: DatagramSink) -> None:
        super().__init__({"socket": bound, "sockname": bound.getsockname()})
        self.arrived_at = 0.0
        """When the datagram came that is given to the sink, on the loop's clock."""
        self._loop = asyncio.get_running_loop()
        self._socket = bound
        self._sink = sink
        self._read_until = self._loop.time()  # what is read from now on came after that
        self._is_closed = False
        self._waits = False
        self._crowded_until = 0.0
        bound.setblocking(False)
        self._is_stamped = _has_timestamps(bound)
        self._loop.add_reader(bound, self._read_now)
        sink.connection_made(self)

    def sendto(self, data: bytes | bytearray | memoryview, addr: Any = None) -> None:
        """Send a datagram now, or not at all."""
        if self._is_closed:
            return
        try:
            self._socket.sendto(data, addr)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._sink.error_received(error)

    def wait_to_be_asked(self) -> None:
        """From now on nothing is read but by `read`, if the kernel tells when it came; in a crowd
        of datagrams all the same, for as long as it lasts: the kernel has not room for it."""
        if self._is_stamped and not self._is_closed:
            self._waits = True
            self._crowded_until = 0.0
            self._loop.remove_reader(self._socket)

    def read_as_it_comes(self) -> None:
        """As at first."""
        self._waits = False
        if not self._is_closed:
            self._loop.add_reader(self._socket, self._read_now)

    def read(self, now: float) -> None:
        """Give the sink what has come by `now`, the loop's time, which may be a little past: what
        has come since is taken for having come then."""
        number = self._give(now, MOST_AT_ONCE)
        if not self._waits or self._is_closed:
            return
        if number > CROWD:
            self._crowded_until = now + _CROWDED_S
            self._loop.add_reader(self._socket, self._read_now)
        elif self._crowded_until and now >= self._crowded_until:
            self._crowded_until = 0.0
            self._loop.remove_reader(self._socket)

    def _give(self, now: float, most: int) -> int:
        """How many there were."""
        wall_ahead = time.time() - self._loop.time()
        for number in range(most):
            if self._is_closed:  # by the sink
                return number
            try:
                data, told, _, address = self._socket.recvmsg(_MOST_BYTES, _SPACE)
            except (BlockingIOError, InterruptedError):
                self._read_until = max(now, self._read_until)
                return number
            except OSError as error:
                self._sink.error_received(error)
                return number
            came_at = _timestamp(told)
            if came_at:
                # A wall clock may be set meanwhile. Nothing came before what was read before it.
                self.arrived_at = min(max(came_at - wall_ahead, self._read_until), now)
            else:
                self.arrived_at = now
                if self._is_stamped:  # it has taken the option, and tells nothing all the same
                    self._is_stamped = False
                    self.read_as_it_comes()
            self._read_until = max(self.arrived_at, self._read_until)
            self._sink.datagram_received(data, address)
        return most

    def is_closing(self) -> bool:
        """Whether it is closed."""
        return self._is_closed

    def close(self) -> None:
        """Close the socket; the sink is told in a moment."""
        if self._is_closed:
            return
        self._is_closed = True
        self._loop.remove_reader(self._socket)
        self._socket.close()
        self._loop.call_soon(self._sink.connection_lost, None)

    def abort(self) -> None:
        """The same: nothing waits to be sent."""
        self.close()

    def _read_now(self) -> None:
        self._give(self._loop.time(), _MOST_WOKEN)


def _has_timestamps(bound: socket.socket) -> bool:
    """Have the kernel tell when each datagram came; False where it cannot."""
    if not _IS_LINUX:
        return False
    try:
        bound.setsockopt(socket.SOL_SOCKET, _TIMESTAMPS, 1)
    except OSError:
        return False
    return True


def _timestamp(told: _Ancillary) -> float:
    """In seconds of the wall clock; 0 where there is none."""
    for level, kind, data in told:
        if level == socket.SOL_SOCKET and kind == _TIMESTAMPS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            return float(seconds + nanoseconds / 1e9)
    return 0.0
