"""WebSocket calls: `GET /v1/ws`, for clients without WebRTC and networks that block it."""

from __future__ import annotations

import asyncio

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from inzwa_rtc.conversation.peer import Command
from inzwa_rtc.conversation.turn import VoiceSettings
from inzwa_rtc.errors import InzwaError, PeerError, Unavailable
from inzwa_rtc.events import Failure
from inzwa_rtc.settings import Settings
from inzwa_rtc.transport.websocket import SocketPeer
from signaling.calls import Call, Calls
from signaling.dialects.native import Start

HEARTBEAT_S = 15.0

log = structlog.get_logger(__name__)


class Sockets:
    """The handler of `/v1/ws`."""

    def __init__(self, calls: Calls, settings: Settings) -> None:
        self._calls = calls
        self._settings = settings

    def routes(self) -> list[web.AbstractRouteDef]:
        """To be added to the application."""
        return [web.get("/v1/ws", self.handle)]

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """One call, from the first message to the close."""
        ws = web.WebSocketResponse(
            compress=False, max_msg_size=self._settings.limits.frame, heartbeat=HEARTBEAT_S
        )
        await ws.prepare(request)
        try:
            start = await self._start(ws)
            if start is None:
                return ws
            voice = self._calls.voice_settings(start)
            call = self._calls.admit("websocket")
        except Unavailable as error:
            await self._refuse(ws, error, WSCloseCode.TRY_AGAIN_LATER)
            return ws
        except PeerError as error:
            await self._refuse(ws, error, WSCloseCode.POLICY_VIOLATION)
            return ws
        try:
            await self._hold(ws, call, start, voice)
        except Exception:  # one call's fault must not end the others
            log.exception("call.failed", call=call.id)
        finally:
            self._calls.release(call)
        await ws.close()
        return ws

    async def _start(self, ws: web.WebSocketResponse) -> Start | None:
        """The first message; None if the client left. Raises `PeerError` for anything else."""
        try:
            message = await ws.receive(timeout=self._settings.timeouts.call_setup)
        except TimeoutError:
            raise PeerError(
                "No `start` came in time.", action='Send {"type":"start"} first.', code="timeout"
            ) from None
        if message.type == WSMsgType.TEXT:
            return self._calls.dialect.decode_start(message.data)
        if message.type == WSMsgType.BINARY:
            raise PeerError(
                "Audio came before `start`.",
                action='Send {"type":"start"} first.',
                code="not_started",
            )
        return None

    async def _refuse(
        self, ws: web.WebSocketResponse, error: InzwaError, code: WSCloseCode
    ) -> None:
        failure = Failure(error.code, error.message, error.action)
        await ws.send_str(self._calls.dialect.encode(failure))
        await ws.close(code=code, message=error.code.encode())

    async def _hold(
        self, ws: web.WebSocketResponse, call: Call, start: Start, voice: VoiceSettings
    ) -> None:
        peer: SocketPeer[Command] = SocketPeer(start.out_sample_rate, self._calls.dialect)
        async with asyncio.TaskGroup() as tasks:
            reader = tasks.create_task(_read(ws, peer))
            sender = tasks.create_task(peer.pump(ws.send_str, ws.send_bytes))
            try:
                await self._calls.converse(call, peer, voice)
            finally:
                reader.cancel()
                peer.end_sending()
            await sender


async def _read(ws: web.WebSocketResponse, peer: SocketPeer[Command]) -> None:
    async for message in ws:
        if message.type == WSMsgType.BINARY:
            peer.feed_audio(message.data)
        elif message.type == WSMsgType.TEXT:
            peer.feed_text(message.data)
    peer.close()
