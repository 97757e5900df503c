"""WebSocket calls: `GET /v1/ws`, for clients without WebRTC and networks that block it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from aiohttp import WSCloseCode, WSMsgType, web

from inzwa_rtc.conversation.peer import Command
from inzwa_rtc.conversation.resumable import Attachment
from inzwa_rtc.conversation.voice import VoiceSettings
from inzwa_rtc.errors import CallEnded, InzwaError, PeerError, RateLimited, Unavailable
from inzwa_rtc.events import Failure
from inzwa_rtc.settings import Settings
from inzwa_rtc.transport.websocket import SocketPeer
from inzwa_rtc.transport.wire import message_of
from signaling.access.caller import Caller
from signaling.access.gate import Gate
from signaling.api.operation import Answer, Operation
from signaling.call import Call
from signaling.calls import Calls
from signaling.closing import CLOSE_S, close
from signaling.dialects.native import Resume, SessionOptions, Start

HEARTBEAT_S = 10.0  # and half of it for the answer: 15 s of silence, as over WebRTC
LAST_WORDS_S = 1.0  # for what waits when a call ends; the call's place is free after it
# The client closes the socket in order: done, on its way to another page, or without a code. With
# any other one (4000 to 4999 are free for it) it says that it will be back.
GOODBYES = (WSCloseCode.OK, WSCloseCode.GOING_AWAY, 1005, None, 0)
# aiohttp has closed the socket for what the client sent.
REFUSALS = (
    WSCloseCode.PROTOCOL_ERROR,
    WSCloseCode.UNSUPPORTED_DATA,
    WSCloseCode.INVALID_TEXT,
    WSCloseCode.MESSAGE_TOO_BIG,
)


class Sockets:
    """The handler of `/v1/ws`."""

    def __init__(self, calls: Calls, settings: Settings, gate: Gate) -> None:
        self._calls = calls
        self._settings = settings
        self._gate = gate

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        upgraded = Answer(101, "The socket; docs/protocol.md has its messages.", media_type="")
        return [
            Operation(
                *("GET", "/v1/ws", self.handle, "Start a call over a WebSocket"),
                access="anyone",  # the first message says who calls
                answers=(upgraded,),
            )
        ]

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """One call, from the first message to the close. Raises `Unavailable` before the
        upgrade where voice is disabled."""
        self._calls.check_enabled()
        ws = web.WebSocketResponse(
            compress=False,
            max_msg_size=self._settings.limits.frame + 1,  # aiohttp refuses one of just this size
            heartbeat=HEARTBEAT_S,
            timeout=CLOSE_S,
        )
        await ws.prepare(request)
        code, reason = WSCloseCode.OK, ""
        try:
            await self._take(ws, request)
        except InzwaError as error:
            is_temporary = isinstance(error, Unavailable | RateLimited)
            code = WSCloseCode.TRY_AGAIN_LATER if is_temporary else WSCloseCode.POLICY_VIOLATION
            reason = error.code
            await self._tell(ws, error)
        finally:
            await close(ws, request, code, reason)
        return ws

    async def _take(self, ws: web.WebSocketResponse, request: web.Request) -> None:
        """Hold the call that the first message asks for. Raises `PeerError`, `Unavailable`."""
        start = await self._start(ws)
        if start is None:
            return
        if start.resume is not None:
            await self._go_on(ws, request, start, start.resume)
            return
        caller = await self._gate.admit_start(request, start.auth)
        try:
            call, voice = self._admitted(start, caller)
        except BaseException:
            self._gate.not_served(caller)
            raise
        try:
            begin = self._calls.connections.begin
            await self._hold(ws, caller, start, lambda peer: begin(call, peer, voice))
        finally:
            if call.caller is None:
                self._calls.release(call)

    async def _go_on(
        self, ws: web.WebSocketResponse, request: web.Request, start: Start, resume: Resume
    ) -> None:
        """Take up a call that lives. Raises `PeerError`, `Unavailable`."""
        await self._gate.admit_resume(request, resume.session_id, start.auth)
        call = self._calls.begun(resume.session_id)
        attach = self._calls.connections.attach
        owner, after = call.owner, resume.after
        await self._hold(ws, owner, start, lambda peer: attach(call, peer, "websocket", after))

    def _admitted(self, start: Start, caller: Caller) -> tuple[Call, VoiceSettings]:
        options = SessionOptions(language=start.language, voice=start.voice, speed=start.speed)
        voice = self._calls.voice_settings(options, caller)
        return self._calls.admit("websocket", caller), voice

    async def _start(self, ws: web.WebSocketResponse) -> Start | None:
        """The first message; None if the client left. Raises `PeerError` for anything else."""
        try:
            message = await ws.receive(timeout=self._calls.settings.timeouts.call_setup)
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

    async def _tell(self, ws: web.WebSocketResponse, error: InzwaError) -> None:
        reason = error.reason if isinstance(error, CallEnded) else None
        failure = Failure(error.code, error.message, error.action, reason=reason)
        message = message_of(failure, self._calls.dialect)
        with suppress(ConnectionError):  # it left at once
            await ws.send_str(message or "")

    async def _hold(
        self,
        ws: web.WebSocketResponse,
        owner: Caller,
        start: Start,
        attach: Callable[[SocketPeer[Command]], Attachment],
    ) -> None:
        """Be the connection of a call for as long as it goes over this socket."""
        calls = self._calls
        peer: SocketPeer[Command] = SocketPeer(
            start.out_sample_rate, calls.dialect, *calls.media.to(owner)
        )
        attachment = attach(peer)
        try:
            async with asyncio.TaskGroup() as tasks:
                reader = tasks.create_task(_read(ws, peer))
                sender = tasks.create_task(peer.pump(ws.send_str, ws.send_bytes))
                try:
                    await attachment.over.wait()
                finally:
                    reader.cancel()
                    peer.end_sending()
                await asyncio.wait({sender}, timeout=LAST_WORDS_S)
                sender.cancel()
        finally:
            peer.close()
            attachment.released.set()


async def _read(ws: web.WebSocketResponse, peer: SocketPeer[Command]) -> None:
    try:
        while True:
            message = await ws.receive()
            match message.type:
                case WSMsgType.BINARY:
                    peer.feed_audio(message.data)
                case WSMsgType.TEXT:
                    peer.feed_text(message.data)
                case WSMsgType.CLOSE if message.data in GOODBYES:
                    return peer.leave("closed")
                case _:  # closed otherwise, broken, or not heard of for too long
                    return None
    finally:
        if ws.close_code in REFUSALS:
            peer.leave("refused")
        peer.close()
