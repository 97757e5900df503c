"""The connections of calls, and the conversations that outlast them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import structlog

from inzwa_rtc.conversation.peer import Command
from inzwa_rtc.conversation.resumable import Attachment, Connection, Patience, ResumablePeer
from inzwa_rtc.conversation.session import Session
from inzwa_rtc.conversation.voice import VoiceSettings
from inzwa_rtc.errors import PeerError
from inzwa_rtc.settings import Settings
from inzwa_rtc.transport.watchdog import Watchdog
from inzwa_rtc.transport.webrtc import WebRtcPeer
from signaling import not_taken
from signaling.call import Call
from signaling.conversations import Conversations
from signaling.dialects.native import NativeDialect
from signaling.media import Media
from signaling.telemetry.lines import Line
from signaling.telemetry.telemetry import Telemetry

RELEASED_S = 2.0  # for the last words of a call that ends; its place is free after it

log = structlog.get_logger(__name__)


class Connections:
    """Owns a task for each conversation, and one for each connection over WebRTC (those over a
    WebSocket are held in their request). `release` gives the place of a call back."""

    def __init__(
        self,
        conversations: Conversations,
        media: Media,
        telemetry: Telemetry,
        dialect: NativeDialect,
        settings: Callable[[], Settings],
        release: Callable[[Call], None],
    ) -> None:
        self._conversations = conversations
        self._media = media
        self._telemetry = telemetry
        self._dialect = dialect
        self._settings = settings
        self._release = release
        self._tasks: set[asyncio.Task[None]] = set()

    async def answer(self, call: Call, offer: str, voice: VoiceSettings) -> str:
        """Begin an admitted call over WebRTC, once the connection stands: the answer's SDP.
        Raises `PeerError`; the place of the call is then still taken."""
        peer, answer = await self._answered(call, offer)
        call.peer = peer
        self._own(self._hold(call, peer, lambda: self.begin(call, peer, voice)))
        return answer

    async def answer_again(self, call: Call, offer: str, after: int) -> str:
        """Take up a call over another WebRTC connection: the answer's SDP. The connection that
        there is stays until this one stands. Raises `PeerError`."""
        peer, answer = await self._answered(call, offer)
        if call.peer is not None:
            call.peer.give_up()  # if it is only being set up: the newest is meant
        call.peer, call.etag = peer, secrets.token_hex(8)
        self._own(self._hold(call, peer, lambda: self.attach(call, peer, "webrtc", after)))
        return answer

    def begin(self, call: Call, connection: Connection, voice: VoiceSettings) -> Attachment:
        """The conversation of an admitted call begins, over this connection."""
        resume = self._settings().resume
        waits = (resume.lost_s, resume.closed_s) if call.is_resumable else (0.0, 0.0)
        call.caller = caller = ResumablePeer(connection.out_sample_rate, Patience(*waits))
        attachment = self._attached(call, caller, connection)
        session = self._conversations.session(call, caller, voice)
        self._own(self._converse(call, caller, session))
        return attachment

    def attach(self, call: Call, connection: Connection, transport: str, after: int) -> Attachment:
        """A call goes on over this connection, told all events after this one. Raises
        `PeerError` where it has ended meanwhile."""
        if call.caller is None or call.caller.is_over:
            raise not_taken.call_ended()
        if call.peer is not connection:
            call.peer = None
        call.transport = transport
        self._telemetry.calls.resumed(transport)
        log.info("call.resumed", call=call.id, transport=transport)
        return self._attached(call, call.caller, connection, after)

    async def close(self) -> None:
        """End them all at once."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _attached(
        self, call: Call, caller: ResumablePeer, connection: Connection, after: int = 0
    ) -> Attachment:
        call.line = connection if isinstance(connection, Line) else None
        return caller.attach(connection, after)

    async def _answered(self, call: Call, offer: str) -> tuple[WebRtcPeer[Command], str]:
        settings = self._settings()
        peer = WebRtcPeer(settings, self._dialect, *self._media.to(call.owner), call.terms)
        try:
            async with asyncio.timeout(settings.timeouts.call_setup):
                return peer, await peer.answer(offer)
        except BaseException:
            await peer.close()
            raise

    async def _hold(
        self, call: Call, peer: WebRtcPeer[Command], attach: Callable[[], Attachment]
    ) -> None:
        timeouts, now = self._settings().timeouts, asyncio.get_running_loop().time
        watchdog = Watchdog(timeouts.call_setup, timeouts.network_silence, now())
        attachment: Attachment | None = None
        try:
            if not await peer.connected(watchdog.left(now())) or call.is_void:
                log.info("call.not_connected", call=call.id)
                return
            if not peer.has_channel:
                log.info("call.without_data_channel", call=call.id)
            watchdog.connected(now())
            attachment = attach()
            await _over(attachment, watchdog)
            log.info("call.connection_over", call=call.id, why=attachment.ending or "silent")
            if attachment.ending in ("over", "replaced") and not await peer.flush():
                log.info("call.last_events_not_taken", call=call.id)
        except PeerError as error:
            log.info("call.not_resumed", call=call.id, code=error.code)
        except Exception:  # one call's fault must not end the others
            log.exception("call.failed", call=call.id)
        finally:
            await peer.close()
            if attachment is not None:
                attachment.released.set()
            elif call.caller is None:
                self._release(call)

    async def _converse(self, call: Call, caller: ResumablePeer, session: Session) -> None:
        try:
            await self._conversations.held(call, session)
        except Exception:  # one call's fault must not end the others
            log.exception("call.failed", call=call.id)
        finally:
            caller.over()
            if caller.attached is not None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(RELEASED_S):
                        await caller.attached.released.wait()
            self._release(call)

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _over(attachment: Attachment, watchdog: Watchdog) -> None:
    """Return when nothing goes over the connection any more, or when it is to be given up."""
    now = asyncio.get_running_loop().time
    while not attachment.over.is_set():
        watchdog.heard(attachment.connection.last_heard)
        left_s = watchdog.left(now())
        if not left_s:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(left_s):
                await attachment.over.wait()
