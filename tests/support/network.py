"""A network between a client and a server in this process, which a test can pull."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from inzwa_rtc.transport.webrtc import WebRtcPeer
from tests.support.server import Serving


class Network:
    """TCP goes through it; the media of calls, which go past it, are cut with it."""

    def __init__(self, server: Serving) -> None:
        self.url = ""
        self._server = server
        self._port = int(server.url.rpartition(":")[2])
        self._writers: set[asyncio.StreamWriter] = set()
        self._is_cut = False
        self._swallows = False
        self.swallowed = asyncio.Event()
        """Something has come to nothing in a network that swallows."""

    def swallow(self) -> None:
        """Connections stand and new ones are taken; what is sent over them comes to nothing, and
        none of these ever carries anything again."""
        self.swallowed.clear()
        self._swallows = True

    def pull(self) -> None:
        """Nothing goes through any more, and nobody is told."""
        self._is_cut = True
        for writer in self._writers:
            writer.transport.abort()
        for call in self._server.calls.all():
            if isinstance(call.peer, WebRtcPeer):
                silence(call.peer)

    def plug_in(self) -> None:
        """New connections go through again."""
        self._is_cut = self._swallows = False

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, both ways, until either side ends it."""
        if self._is_cut:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers |= {writer, back}
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._copy(reader, back))
                tasks.create_task(self._copy(there, writer))
        finally:
            self._writers -= {writer, back}

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_dead = False
        try:
            while data := await reader.read(65_536):
                is_dead = is_dead or self._swallows
                if is_dead:
                    self.swallowed.set()
                    continue
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


def silence(peer: WebRtcPeer[Any]) -> None:
    """What the peer sends is lost, and so is what is sent to it."""
    for transport in getattr(peer._pc, "_RTCPeerConnection__iceTransports"):  # noqa: B009
        for protocol in transport.iceGatherer._connection._protocols:
            protocol.transport.sendto = _lost
            protocol.datagram_received = _lost


def _lost(*_: object) -> None:
    pass


@asynccontextmanager
async def network(server: Serving) -> AsyncIterator[Network]:
    """In front of this server."""
    between = Network(server)
    listening = await asyncio.start_server(between.carry, "127.0.0.1", 0)
    between.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield between
    finally:
        between.pull()
        listening.close()
        await listening.wait_closed()
