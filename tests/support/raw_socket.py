"""A WebSocket client that sends whatever bytes it is told to."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

TEXT, BINARY, CLOSE = 1, 2, 8
FIN, RSV1 = 0x80, 0x40

_HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate\r\n{headers}\r\n"
)


def frame(opcode: int, payload: bytes = b"", bits: int = FIN, length: int | None = None) -> bytes:
    """A frame, masked with zeros; `length` where it is to claim another one than it has."""
    claimed = len(payload) if length is None else length
    if claimed < 126:
        size = bytes([0x80 | claimed])
    elif claimed < 1 << 16:
        size = b"\xfe" + struct.pack(">H", claimed)
    else:
        size = b"\xff" + struct.pack(">Q", claimed)
    return bytes([bits | opcode]) + size + bytes(4) + payload


def message(**members: Any) -> bytes:
    """A text message of JSON."""
    return frame(TEXT, json.dumps(members).encode())


def reset(client: socket.socket) -> None:
    """Leave at once, with a reset: the next that the server sends fails."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@dataclass
class RawSocket:
    """`status` is that of the handshake; `told` are the JSON messages that came, `code` is how
    it was closed."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    status: int = 0
    told: list[dict[str, Any]] = field(default_factory=list)
    code: int | None = None

    async def send(self, data: bytes) -> None:
        """Send it, as far as the server takes it."""
        with suppress(ConnectionError):
            self.writer.write(data)
            await self.writer.drain()

    async def read_until(self, kind: str) -> dict[str, Any]:
        """The next message of this type."""
        async with asyncio.timeout(20):
            while True:
                opcode, payload = await self._frame()
                if opcode == TEXT:
                    self.told.append(json.loads(payload))
                    if self.told[-1]["type"] == kind:
                        return self.told[-1]

    async def closed(self) -> int | None:
        """How the server closed it; None where it only let go of the connection."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            async with asyncio.timeout(20):
                while self.code is None:
                    opcode, payload = await self._frame()
                    if opcode == TEXT:
                        self.told.append(json.loads(payload))
                    elif opcode == CLOSE:
                        self.code = int.from_bytes(payload[:2])
        return self.code

    async def _frame(self) -> tuple[int, bytes]:
        first, second = await self.reader.readexactly(2)
        size = second & 0x7F
        if size == 126:
            size = int.from_bytes(await self.reader.readexactly(2))
        elif size == 127:
            size = int.from_bytes(await self.reader.readexactly(8))
        return first & 0x0F, await self.reader.readexactly(size)


@asynccontextmanager
async def raw_socket(url: str, path: str, **headers: str) -> AsyncIterator[RawSocket]:
    """One whose handshake is over, whatever came of it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(_HANDSHAKE.format(path=path, headers=lines).encode())
    head = await reader.readuntil(b"\r\n\r\n")
    one = RawSocket(reader, writer, int(head.split()[1]))
    try:
        yield one
    finally:
        writer.transport.abort()
