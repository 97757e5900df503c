"""All live calls of this server: who is let in, and how each one ends."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import Any

import structlog

from inzwa_rtc.conversation.peer import UpdateVoice
from inzwa_rtc.conversation.shedding import Shedding
from inzwa_rtc.conversation.voice import VoiceSettings
from inzwa_rtc.conversation.voices import Voices
from inzwa_rtc.errors import PeerError, Unavailable
from inzwa_rtc.settings import LimitSettings, Settings
from inzwa_rtc.transport.terms import Terms
from signaling import not_taken
from signaling.access.call_tokens import PREFIX, CallTokens, Claim
from signaling.access.caller import Caller, check_may_call
from signaling.call import Call
from signaling.connections import Connections
from signaling.conversations import Conversations
from signaling.dialects.native import NativeDialect, SessionOptions
from signaling.media import Media
from signaling.switchboard import Switchboard
from signaling.telemetry.telemetry import Telemetry

TRANSPORTS = ("webrtc", "websocket", "dictation")
FORCED_END_S = 3.0  # of all calls together, once they may not go on

log = structlog.get_logger(__name__)


class Calls:
    """Admits calls. Whoever sets `when_void` is told of those that came to nothing."""

    def __init__(
        self,
        limits: LimitSettings,
        switchboard: Switchboard[Any],
        media: Media,
        shedding: Shedding,
        telemetry: Telemetry,
    ) -> None:
        self.is_draining = False
        self.is_paused = False  # the operator lets nobody in for a while
        self.telemetry = telemetry
        self.dialect = NativeDialect(limits)
        self.tokens = CallTokens()
        self.when_void: Callable[[Caller], None] = lambda _: None
        self.media = media
        self.conversations = Conversations(switchboard, media, shedding, telemetry)
        self.connections = Connections(
            self.conversations, media, telemetry, self.dialect, lambda: self.settings, self.release
        )
        self._switchboard = switchboard
        self._calls: dict[str, Call] = {}
        self._empty, self._has_any = asyncio.Event(), asyncio.Event()
        self._empty.set()
        self._limit: asyncio.TimerHandle | None = None
        self._deadline: float | None = None  # of the calls of a server that ends

    @property
    def voices(self) -> Voices:
        """What callers may choose from now."""
        return self._switchboard.now.voices

    @property
    def settings(self) -> Settings:
        """Those that new calls follow."""
        return self._switchboard.now.settings

    @property
    def takes_calls(self) -> bool:
        """Whether new ones are let in, if there is room."""
        return not (self.is_draining or self.is_paused)

    @property
    def is_too_busy(self) -> bool:
        """Whether one more call would harm those that live. Where nobody is connected there is
        nobody to be harmed: a caller who is away hears nothing that could be late."""
        return not self.media.admission.has_room and any(
            call.is_connected for call in self._calls.values()
        )

    def all(self) -> list[Call]:
        """Those that live, the oldest first."""
        return list(self._calls.values())

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def users(self) -> set[str]:
        """In whose names there are calls."""
        return {call.owner.user for call in self._calls.values() if call.owner.user is not None}

    def check_enabled(self) -> None:
        """Raises `Unavailable` where the operator has switched calls off."""
        if not self.settings.voice_enabled:
            raise not_taken.voice_disabled()

    def admit(self, transport: str, owner: Caller) -> Call:
        """A place for a new call, to be given back with `release`. Raises `Unavailable`, and
        `PeerError` for a user who may not call."""
        self._check_taken()
        check_may_call(owner)
        if not self.takes_calls:
            raise self._refused(not_taken.draining())
        if len(self._calls) >= self.settings.max_concurrent_sessions:
            raise self._refused(not_taken.server_full())
        if self.is_too_busy:
            raise self._refused(not_taken.server_busy())
        call_id, token = secrets.token_urlsafe(16), PREFIX + secrets.token_urlsafe(24)
        call = Call(call_id, token, transport, owner, self.telemetry.watch(call_id, transport))
        self._calls[call.id] = call
        self.tokens.begin(Claim(call.id, token, owner))
        self._empty.clear()
        self._has_any.set()
        return call

    def release(self, call: Call) -> None:
        """The call is over."""
        self._calls.pop(call.id, None)
        self.tokens.end(call.id, monotonic(), call.ended)
        self.void(call)
        if not self._calls:
            self._empty.set()
            self._has_any.clear()

    def void(self, call: Call) -> None:
        """A call that has not begun by now never will: what it was to be begun with may be used
        for another, over another transport for example."""
        if call.session is None and not call.is_void:
            call.is_void = True
            self.when_void(call.owner)

    def find(self, call_id: str) -> Call:
        """A live call. Raises `PeerError` (404)."""
        call = self._calls.get(call_id)
        if call is None:
            raise PeerError(
                "There is no such call, or it has ended.",
                action="Start a new call with POST /v1/calls.",
                code="no_such_call",
                status=404,
            )
        return call

    async def answer(self, offer: str, options: SessionOptions, caller: Caller) -> tuple[Call, str]:
        """Take a WebRTC call: the call and the answer's SDP. Raises `PeerError`, `Unavailable`."""
        self._check_webrtc()
        voice = self.voice_settings(options, caller)
        call = self.admit("webrtc", caller)
        call.terms = Terms.of(self.settings, caller.chosen(options).low_data)
        try:
            return call, await self.connections.answer(call, offer, voice)
        except BaseException:
            self.release(call)
            raise

    async def answer_again(self, call: Call, offer: str, after: int) -> str:
        """Take up a call over another WebRTC connection, also while the server is full or takes
        no new ones: the answer's SDP. Raises `PeerError`, `Unavailable`."""
        self._check_webrtc()
        return await self.connections.answer_again(call, offer, after)

    def begun(self, call_id: str) -> Call:
        """A live call that a connection may be added to. Raises `PeerError` (404, 409, 410)."""
        call = self._calls.get(call_id)
        if call is None:
            raise not_taken.call_ended(self.tokens.why_ended(call_id) or "connection_lost")
        if call.caller is None:
            raise not_taken.call_not_begun()
        return call

    def voice_settings(self, options: SessionOptions, caller: Caller) -> VoiceSettings:
        """How to speak to a caller who asks for this: what a start token says goes before it,
        what the user has chosen comes after it, where it is offered. Raises `PeerError`."""
        voices, own = self.voices, caller.settings
        language = own.stt_language or voices.usual().language
        usual = voices.nearest(VoiceSettings(language, None, own.tts_speed, own.tts_voice))
        chosen = caller.chosen(options)
        return voices.choose(UpdateVoice(chosen.language, chosen.voice, chosen.speed), usual)

    def end_of_user(self, user: str) -> None:
        """Voice was taken from this user: their calls end, within seconds, with a word of why."""
        for call in list(self._calls.values()):
            if call.owner.user == user:
                call.dismiss()

    def forget_user(self, user: str) -> None:
        """This user is deleted: their calls end in nobody's name, and their figures are
        nobody's."""
        self.end_of_user(user)
        for call in self._calls.values():
            if call.owner.user == user:
                call.owner = replace(call.owner, user=None)
        self._switchboard.now.spending.forget(user)

    def engines_exchanged(self) -> None:
        """Tell the live calls that other engines are given out from now on."""
        for call in self._calls.values():
            if call.session is not None:
                call.session.engines_exchanged()

    def report_lines(self) -> None:
        """Count how the lines of all calls were since the last time, and tell callers."""
        for call in self._calls.values():
            if call.line is None or call.is_away:
                continue
            try:
                measured = call.watch.report(call.line)
                if measured is not None and call.caller is not None and not call.caller.is_over:
                    call.caller.send(measured)
            except Exception:  # one call's line must not end the figures of all
                log.exception("call.line_not_reported", call=call.id)
                call.line = None  # it would fail again, every few seconds

    def pause(self, limit_s: float | None = None) -> None:
        """Take no new calls until `resume`; those that live are ended after `limit_s`, if given."""
        self.resume()
        self.is_paused = True
        if limit_s is not None:
            self._limit = asyncio.get_running_loop().call_later(limit_s, self._end_all)

    def resume(self) -> None:
        """Take new calls again."""
        self.is_paused = False
        if self._limit is not None:
            self._limit.cancel()

    async def any_begun(self) -> None:
        """Return once there is a call."""
        await self._has_any.wait()

    async def all_ended(self) -> None:
        """Return once no call is left."""
        await self._empty.wait()

    async def drain(self, limit_s: float) -> None:
        """Take no new calls, let live ones finish for `limit_s`, then end them."""
        if not self.is_draining:
            log.info("server.draining", calls=len(self._calls), limit_s=limit_s)
        self.is_draining = True
        if await self._wait_empty(limit_s):
            return
        self._end_all()
        self._deadline = self._deadline or monotonic() + FORCED_END_S
        await self._wait_empty(max(0.0, self._deadline - monotonic()))

    async def close(self) -> None:
        """End all calls at once."""
        self.resume()
        await self.drain(0)
        await self.connections.close()

    def _end_all(self) -> None:
        for call in self.all():
            call.end("shutdown")

    async def _wait_empty(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self.all_ended()
        except TimeoutError:
            return False
        return True

    def _check_taken(self) -> None:
        if not self.settings.voice_enabled:
            raise self._refused(not_taken.voice_disabled())

    def _check_webrtc(self) -> None:
        self._check_taken()
        if not self.settings.webrtc_offered:
            raise self._refused(not_taken.webrtc_disabled())

    def _refused(self, error: Unavailable) -> Unavailable:
        self.telemetry.calls.refused(error.code)
        return error
